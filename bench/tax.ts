/**
 * What the network costs: three members of a `small` run in processes of their own, against three plain training loops
 * that run at the same time on the same rows, with no network, no records, no audits and no evaluation.
 *
 * Both take turns on the same home, so that a busy machine is equally unkind to them. Time in which a member's engine
 * re-executes for an audit is taken off that member's time and reported apart.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RUN_PRESETS } from '@folkmoot/node';
import { type Figure, median } from './bench.ts';

const PRESET = 'small';
const MEMBERS = 3;
const LEGS = 3;
/** The first round of a leg only warms up. */
const ROUNDS_PER_LEG = 3;
const LOCAL_SECONDS = 60;
const { stepsPerRound, batchRows, model } = RUN_PRESETS[PRESET];
const ROUND_TOKENS = MEMBERS * stepsPerRound * batchRows * model.context;

interface Leg {
  /** Of all members together, audits taken off. */
  readonly tokensPerSecond: number;
  /** Of the members' time, from 0 to 1. */
  readonly auditShare: number;
  /** Of the time that is left without audits: in it the engines trained. */
  readonly trainShare: number;
  /** Processor seconds for a million tokens, audits taken off. */
  readonly cpuSeconds: number;
}

interface Plain {
  readonly tokensPerSecond: number;
  /** Processor seconds for a million tokens. */
  readonly cpuSeconds: number;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const home = await mkdtemp(join(tmpdir(), 'folkmoot-tax-'));
  const legs: Leg[] = [];
  const plain: Plain[] = [];
  try {
    for (let leg = 1; leg <= LEGS; leg++) {
      legs.push(await networkLeg(home, leg * ROUNDS_PER_LEG, signal));
      plain.push(await plainLeg(home, signal));
      yield* figuresOf(legs.slice(-1), plain.slice(-1), `turn ${leg}: `);
    }
    yield* figuresOf(legs, plain, '');
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function* figuresOf(legs: readonly Leg[], plain: readonly Plain[], prefix: string): Iterable<Figure> {
  const rate = median(legs.map((leg) => leg.tokensPerSecond));
  const plainRate = median(plain.map((loops) => loops.tokensPerSecond));
  const plainCpu = median(plain.map((loops) => loops.cpuSeconds));
  const percent = (pick: (leg: Leg) => number) => 100 * median(legs.map(pick));
  yield { name: `${prefix}three members, audits apart`, value: rate, unit: 'tokens/s' };
  yield { name: `${prefix}three plain loops`, value: plainRate, unit: 'tokens/s' };
  yield {
    name: `${prefix}members of plain`,
    value: (100 * rate) / plainRate,
    unit: '%',
    note: 'at least 85 is wanted',
  };
  yield {
    name: `${prefix}the same by processor time`,
    value: (100 * plainCpu) / median(legs.map((leg) => leg.cpuSeconds)),
    unit: '%',
    note: 'what other programs took does not count here',
  };
  yield { name: `${prefix}engines in training`, value: percent((leg) => leg.trainShare), unit: '%' };
  yield { name: `${prefix}engines in audits`, value: percent((leg) => leg.auditShare), unit: '%', note: 'apart' };
}

/** Runs the network until `rounds` are finished; the second call with a home goes on where the first one ended. */
async function networkLeg(home: string, rounds: number, signal: AbortSignal): Promise<Leg> {
  const options = ['--preset', PRESET, '--members', String(MEMBERS), '--threads', '1', '--rounds', String(rounds)];
  const child = start(
    ['../apps/cli/src/main.ts', '--home', home, '--json', '--yes', 'up', ...options, '--exit'],
    signal,
  );
  const lines: Round[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as Round & { type: string };
    if (said.type === 'round') lines.push(said);
  }
  const [first, last] = [lines[0], lines.at(-1)];
  if (!first || !last || first === last) throw new Error('the network did not finish its rounds');
  const memberSeconds = (MEMBERS * (last.elapsedMs - first.elapsedMs)) / 1000;
  const auditSeconds = last.auditSeconds - first.auditSeconds;
  const trainSeconds = last.trainSeconds - first.trainSeconds;
  const freeSeconds = memberSeconds - auditSeconds;
  const tokens = ROUND_TOKENS * (last.round - first.round);
  // The engine works alike in both, so its audits have their part of the processor time.
  const trainPart = trainSeconds / (trainSeconds + auditSeconds);
  return {
    tokensPerSecond: (MEMBERS * tokens) / freeSeconds,
    cpuSeconds: ((last.cpuSeconds - first.cpuSeconds) * trainPart) / (tokens / 1e6),
    auditShare: auditSeconds / memberSeconds,
    trainShare: trainSeconds / freeSeconds,
  };
}

/** What `up --json` prints after each round. */
interface Round {
  readonly round: number;
  readonly elapsedMs: number;
  readonly trainSeconds: number;
  readonly auditSeconds: number;
  readonly cpuSeconds: number;
}

/** Sum of what the loops do in a minute in which all of them work. */
async function plainLeg(home: string, signal: AbortSignal): Promise<Plain> {
  const run = (await readFile(join(home, 'current-run'), 'utf8')).trim();
  const loops = Array.from({ length: MEMBERS }, (_, seat) => start(['tax-loop.ts', home, run, String(seat)], signal));
  try {
    const tallies = loops.map((loop) => new Tally(loop));
    await Promise.all(tallies.map((tally) => tally.warm));
    for (const tally of tallies) tally.restart();
    await new Promise((resolve) => setTimeout(resolve, LOCAL_SECONDS * 1000));
    signal.throwIfAborted();
    const sum = (pick: (tally: Tally) => number) => tallies.reduce((total, tally) => total + pick(tally), 0);
    return {
      tokensPerSecond: sum((tally) => (1000 * tally.tokens) / tally.ms),
      cpuSeconds: sum((tally) => tally.cpuMs) / 1000 / (sum((tally) => tally.tokens) / 1e6),
    };
  } finally {
    for (const loop of loops) loop.kill();
  }
}

/** Counts a loop's segments: it prints a line of `tokens milliseconds processor-milliseconds` at the end of each. */
class Tally {
  /** Resolves after the first segment, in which programs are still being loaded. */
  readonly warm: Promise<void>;
  tokens = 0;
  ms = 0;
  cpuMs = 0;

  constructor(loop: ChildProcess) {
    this.warm = new Promise((resolve, reject) => {
      loop.on('exit', () => reject(new Error('a training loop ended')));
      createInterface({ input: loop.stdout! }).on('line', (line) => {
        const [tokens, ms, cpuMs] = line.split(' ').map(Number) as [number, number, number];
        this.tokens += tokens;
        this.ms += ms;
        this.cpuMs += cpuMs;
        resolve();
      });
    });
  }

  restart(): void {
    this.tokens = 0;
    this.ms = 0;
    this.cpuMs = 0;
  }
}

function start([file, ...options]: string[], signal: AbortSignal): ChildProcess {
  const path = fileURLToPath(new URL(file!, import.meta.url));
  const child = spawn(process.execPath, [path, ...options], { stdio: ['ignore', 'pipe', 'inherit'], signal });
  // An abort ends it and is told by whoever waits for its lines.
  child.on('error', () => {});
  return child;
}
