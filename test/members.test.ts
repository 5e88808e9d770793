/** Members as processes that are killed, restarted, late, robbed of their disk: the run goes on, nothing credited is lost. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Hash } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import {
  assertNothingCreditedIsLost,
  type LogView,
  openLog,
  type Process,
  recordsOf,
  type StartOptions,
  until,
  World,
} from './harness.ts';

const ROUNDS = 9;
const STAY = ['--rounds', String(ROUNDS), '--exit'];

/** The story of one run: members of these names, each in the process of its last start. */
class Village {
  readonly world: World;
  readonly log: LogView;
  readonly invite: string;
  readonly devices = new Map<string, Hash>();
  readonly #processes = new Map<string, Process>();

  private constructor(world: World, log: LogView, founder: Process, invite: string) {
    this.world = world;
    this.log = log;
    this.invite = invite;
    this.#processes.set(founder.name, founder);
  }

  static async found(world: World, name: string, args: readonly string[]): Promise<Village> {
    const founder = await world.create(name, args);
    const { runId, invite, device } = await founder.started();
    const village = new Village(world, openLog(founder.home, runId), founder, invite);
    village.devices.set(name, device);
    return village;
  }

  async join(name: string, options?: StartOptions): Promise<void> {
    const process = this.world.join(name, this.invite, STAY, options);
    this.#processes.set(name, process);
    this.devices.set(name, (await process.started()).device);
  }

  process(name: string): Process {
    return this.#processes.get(name)!;
  }

  /** Starts it again with the command that it was started with. */
  restart(name: string): Process {
    const { args, home } = this.process(name);
    assert.ok(this.process(name).isOver, 'it was ended before');
    const process = this.world.start(name, args);
    assert.equal(process.home, home);
    this.#processes.set(name, process);
    return process;
  }

  /** Waits until the log says so. */
  until(what: string, isSo: (state: State) => boolean): Promise<State> {
    return this.log.until(what, isSo, [...this.#processes.values()]);
  }

  /** Waits for the moment in some round from now on, ends the member in it, and starts it again. Returns the round. */
  async killAt(name: string, what: string, isMoment: (state: State, device: Hash) => boolean): Promise<number> {
    const device = this.devices.get(name)!;
    const state = await this.until(`${name} ${what}`, (state) => isMoment(state, device));
    await this.process(name).kill();
    const round = state.round.number;
    await this.restart(name).started();
    return round;
  }

  everybody(): Process[] {
    return [...this.#processes.values()];
  }
}

test('killed, late, robbed: all end with the same base, credited, and nothing credited is lost', async (t) => {
  const village = await Village.found(new World(t), 'ana', ['--min-members', '3', ...STAY]);
  await Promise.all([village.join('ben'), village.join('cleo')]);
  const seat = (state: State, device: Hash) => state.round.seats[device];

  await t.test('killed while training', async () => {
    await village.until('a first round that is over', (state) => state.finalized >= 1);
    await village.killAt('ben', 'training', (state, device) => {
      const own = seat(state, device);
      return state.round.phase === 'train' && own !== undefined && own.commit === null;
    });
  });

  await t.test('killed while committing: what was put down before is what the log gets', async () => {
    await village.until('cleo in a round', (state) => seat(state, village.devices.get('cleo')!) !== undefined);
    const cells = join(village.process('cleo').home, 'runs', village.log.run, 'cells');
    const round = await village.killAt('cleo', 'committing', (state) => {
      return state.round.phase === 'train' && keptTrace(cells, state.round.number) !== undefined;
    });
    const kept = keptTrace(cells, round)!;
    await village.until('the end of that round', (state) => state.round.number > round);
    const device = village.devices.get('cleo')!;
    const commits = recordsOf(village.log, 'commit').filter((body) => body.device === device && body.round === round);
    assert.deepEqual(
      commits.map(({ blind }) => blind),
      [kept.commit.blind],
    );
  });

  await t.test('a newcomer in round 4 or later, killed while it fetches the data', async () => {
    await village.until('round 4', (state) => state.round.number >= 4);
    await killWhileFetching(village, 'dora');
    await village.join('dora');
    const device = village.devices.get('dora')!;
    await village.until('a seat for dora', (state) => seat(state, device) !== undefined);
  });

  await t.test('killed while finalising', async () => {
    await village.killAt('ben', 'finalising', (state, device) => {
      const { phase, witnesses, signed } = state.round;
      return phase === 'finalize' && witnesses.includes(device) && !signed[device];
    });
  });

  await t.test('without its sequencer the run stands still, and goes on when it is back', async () => {
    const finalized = (await village.until('a round under way', (state) => state.round.phase === 'train')).finalized;
    await village.process('ana').kill();
    const { index } = village.log.now().head;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.equal(village.log.now().head.index, index);
    const others = village.everybody().filter(({ name }) => name !== 'ana');
    for (const { home } of others) assert.ok(openLog(home, village.log.run).now().head.index <= index);
    assert.ok(!others.some(({ isOver }) => isOver), 'the others stay');
    await village.restart('ana').started();
    await village.until('the next round', (state) => state.finalized > finalized);
  });

  await t.test('a store deleted between stop and restart: a declared reset, and on', async () => {
    const device = village.devices.get('cleo')!;
    await interrupt(village.process('cleo'));
    rmSync(join(village.process('cleo').home, 'runs', village.log.run, 'store'), { recursive: true });
    const from = village.log.now().round.number;
    await village.restart('cleo').started();
    await village.until('cleo in a later round', (state) => state.round.number > from && seat(state, device) != null);
    const resets = recordsOf(village.log, 'ready').filter((body) => body.device === device && body.reset);
    assert.ok(resets.length >= 1, 'it says that it starts from zeros');
  });

  const summaries = await Promise.all(village.everybody().map((process) => process.summary()));
  const [first] = summaries;
  const state = village.log.now();
  for (const summary of summaries) {
    assert.equal(summary.baseId, first!.baseId);
    assert.deepEqual(summary.credits, first!.credits);
    assert.equal(summary.rounds, ROUNDS);
  }
  assert.equal(first!.baseId, state.base);
  for (const [name, device] of village.devices) {
    const { account } = state.members[device]!;
    assert.ok(first!.credits[account]! > 0, `${name} is credited`);
    assert.ok(holdsBase(village.process(name).home, village.log.run, state.base), `${name} holds the last base`);
  }
  assertNothingCreditedIsLost(village.log);
  assert.equal(Object.values(state.members).filter(({ banned }) => banned).length, 0);
});

/** What a trainer wrote down before it committed in `round`. */
function keptTrace(cells: string, round: number): { commit: { blind: Hash } } | undefined {
  const path = join(cells, `trace-${round % 8}`);
  if (!existsSync(path)) return undefined;
  const kept = JSON.parse(readFileSync(path, 'utf8'));
  return kept.round === round ? kept : undefined;
}

/** Starts a newcomer and ends it when it has the charter, and not yet everything that it needs before it follows the log. */
async function killWhileFetching(village: Village, name: string): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const newcomer = village.world.join(name, village.invite, STAY);
    const folder = join(newcomer.home, 'runs', village.log.run);
    await until('the first bytes', () => existsSync(join(folder, 'store', 'objects')), [newcomer]);
    await newcomer.kill();
    if (!existsSync(join(folder, 'log.jsonl'))) return;
    rmSync(newcomer.home, { recursive: true });
  }
  assert.fail('a newcomer could not be caught while it fetches');
}

/** Ctrl+C: it leaves, tells how things stand, and ends well. */
async function interrupt(process: Process): Promise<void> {
  process.signal('SIGINT');
  await process.summary();
}

function holdsBase(home: string, run: Hash, base: Hash): boolean {
  const path = join(home, 'runs', run, 'store', 'objects', base.slice(0, 2), base.slice(2));
  return existsSync(path) && readFileSync(path).length > 0;
}
