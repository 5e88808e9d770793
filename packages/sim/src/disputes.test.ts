/**
 * Disputes among production members: liars of both sides, half of the time offline, and judges that are drawn.
 *
 * What must come out: nobody honest loses, and whoever is shown to be wrong pays with what it has locked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES } from '@folkmoot/adversaries';
import { balanceOf } from '@folkmoot/ledger';
import type { Conduct } from '@folkmoot/node';
import type { Event } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';
import { inventedAnswer } from './dispute-lies.test-support.ts';
import { realTraining } from './real-training.ts';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';

const EXACT: Charter['engine'] = { kind: 'exact', tolerancePpm: 0 };
const NATIVE = simCharter().engine;
const HOUR = 3_600_000;

type Ended = Extract<Event, { kind: 'dispute-ended' }>;

for (const [name, engine] of Object.entries({ exact: EXACT, native: NATIVE })) {
  test(`${name}: two false accusers do not cost an honest trainer anything in the end`, async () => {
    const run = worldOf(`accused ${name}`, engine, 5, [falselyAccuse(), falselyAccuse()]);
    await run.startAll();
    const honest = run.people.slice(0, 5);
    const isHonest = (device: string) => honest.some(({ id }) => id === device);
    // Whether they get as far as a refusal is the draw's; that none lasts is the rule.
    const accused = () => endings(run).filter(({ accuser, trainer }) => !isHonest(accuser) && isHonest(trainer));
    const isWell = () => accused().length >= 3 && honest.every((person) => unsettled(run, person).length === 0);
    assert.ok(await run.until(isWell, HOUR), told(run));
    for (const person of honest) assert.equal(forfeitedBy(run, person), 0);
    for (const { standing, accuser } of eventsOf(run, 'dispute-ended'))
      if (run.people.findIndex(({ id }) => id === accuser) >= 5)
        assert.ok(['refuted', 'withdrawn', 'left'].includes(standing));
  });

  test(`${name}: a liar that defends itself loses what it has locked`, async () => {
    const run = worldOf(`liar ${name}`, engine, 4, [brazen()]);
    await run.startAll();
    assert.ok(await run.until(() => endings(run).some(({ standing }) => standing === 'proven'), HOUR), told(run));
    const liar = run.people.at(-1)!;
    const proven = endings(run).filter(({ standing }) => standing === 'proven');
    for (const ending of proven) {
      assert.equal(ending.trainer, liar.id);
      assert.ok(ending.operator !== null && ending.moves > 0);
    }
    assert.ok(endings(run).every(({ standing, trainer }) => trainer === liar.id || standing !== 'proven'));
    assert.equal(balanceOf(run.creator.state!.ledger, liar.account.id).locked, 0);
  });
}

for (const [seed, engine] of [
  ['b', EXACT],
  ['c', NATIVE],
] as const)
  test(`${engine.kind}: both sides offline half of the time, nobody honest loses`, async () => {
    const run = worldOf(`offline ${seed}`, engine, 4, [falselyAccuse()]);
    await run.startAll();
    const [, honest] = run.people;
    const accuser = run.people.at(-1)!;
    const enough = () => endings(run).length >= 2;
    for (let turn = 0; turn < 60 && !enough(); turn++) {
      const victim = turn % 2 === 0 ? honest! : accuser;
      await run.until(enough, 6000 + (turn % 3) * 4000);
      run.crash(victim);
      await run.until(() => false, 6000 + (turn % 4) * 3000);
      await run.clock.drive(run.start(victim));
    }
    assert.ok(enough(), told(run));
    for (const { standing, accuser: who } of endings(run))
      if (who === accuser.id) assert.ok(standing !== 'proven', `${standing} although the work was honest`);
    for (const person of run.people.slice(0, 4)) assert.equal(forfeitedBy(run, person), 0);
  });

test('real training: a liar is brought down to one operator, which real judges run', async () => {
  const training = await realTraining('disputes');
  const charter = { ...simCharter({ audit: { floorPpm: 1_000_000 } }), engine: EXACT };
  const run = new SimRun('real', charter, {}, training.in);
  for (let i = 0; i < 3; i++) run.add();
  run.add({ conduct: brazen() });
  await run.startAll();
  assert.ok(await run.until(() => endings(run).length > 0, HOUR), told(run));
  const [ending] = endings(run);
  assert.equal(ending!.standing, 'proven');
  assert.equal(ending!.trainer, run.people.at(-1)!.id);
  assert.ok(ending!.operator !== null && ending!.moves <= 8, JSON.stringify(ending));
  await training.close();
});

test('a trainer that is away for ever is not paid and not punished by its dispute; an accuser that is, is not either', async () => {
  const run = worldOf('silence', NATIVE, 3, [silentAfterRaising()], 24_000);
  await run.startAll();
  const withdrawn = () => endings(run).some(({ standing }) => standing === 'withdrawn');
  assert.ok(await run.until(withdrawn, HOUR), told(run));
  for (const person of run.people) assert.equal(forfeitedBy(run, person), 0);
});

function worldOf(
  seed: string,
  engine: Charter['engine'],
  honest: number,
  others: readonly Conduct[],
  patienceMs = 72_000,
): SimRun {
  // Patience is twelve times `auditMs`.
  const timing = { ...simCharter().timing, auditMs: patienceMs / 12, openTraceMs: 6000 };
  const run = new SimRun(seed, simCharter({ engine, timing, audit: { floorPpm: 1_000_000 } }));
  for (let i = 0; i < honest; i++) run.add();
  for (const conduct of others) run.add({ conduct });
  return run;
}

/** Finds everybody's work wrong, insists on it, and points anywhere. */
function falselyAccuse(): Conduct {
  const accuse = ADVERSARIES['false-accuser'].conduct();
  return {
    perform: async (bench, duty, honest, signal) => {
      if (duty.kind !== 'point') return accuse.perform!(bench, duty, honest, signal);
      const { round, base, trainer } = duty.found.audit;
      const move = { is: 'point', child: duty.game.moves % duty.game.search!.children!.length } as const;
      return bench.voice.say(
        'dispute',
        { trainer, accuser: duty.accuser, turn: duty.game.moves, move },
        { round, base },
      );
    },
  };
}

/** The same, and then has no more to say. */
function silentAfterRaising(): Conduct {
  const accuse = ADVERSARIES['false-accuser'].conduct();
  return {
    perform: (bench, duty, honest, signal) =>
      duty.kind === 'point' ? Promise.resolve() : accuse.perform!(bench, duty, honest, signal),
  };
}

/** Claims a segment that nobody worked, contests the refusal, and claims steps that end in it. */
function brazen(): Conduct {
  const idle = ADVERSARIES.zeros.conduct();
  return {
    ...idle,
    perform: async (bench, duty, honest, signal) => {
      if (duty.kind !== 'contest' && duty.kind !== 'defend') return honest();
      const { round, base, trainer } = duty.found.audit;
      const say = (turn: number, move: object) =>
        bench.voice.say('dispute', { trainer, accuser: duty.accuser, turn, move: move as never }, { round, base });
      if (duty.kind === 'contest') return say(0, { is: 'raise' });
      return 'game' in duty ? say(duty.game.moves, await inventedAnswer(bench, duty, signal)) : undefined;
    },
  };
}

function endings(run: SimRun): Ended[] {
  return eventsOf(run, 'dispute-ended');
}

function eventsOf<K extends Event['kind']>(run: SimRun, kind: K): Extract<Event, { kind: K }>[] {
  return run.creator.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
}

function forfeitedBy(run: SimRun, person: SimPerson): number {
  return run.creator.state!.ledger.accounts[person.account.id]!.forfeited;
}

/** Rounds that ended with a refusal which nothing has replaced. */
function unsettled(run: SimRun, person: SimPerson): number[] {
  const refused = new Set<number>();
  for (const { settlement } of eventsOf(run, 'settled'))
    if (settlement.device === person.id && ['mismatch', 'disputed'].includes(settlement.outcome))
      refused.add(settlement.round);
  for (const { settlement } of eventsOf(run, 'amended'))
    if (settlement.device === person.id && settlement.outcome === 'upheld') refused.delete(settlement.round);
  return [...refused];
}

function told(run: SimRun): string {
  const kinds = ['disputed', 'dispute-ended', 'amended'] as const;
  const lines = kinds.flatMap((kind) => eventsOf(run, kind).map((event) => JSON.stringify(event).slice(0, 220)));
  return [...lines.slice(0, 20), ...run.troubles().slice(0, 5)].join('\n');
}
