/**
 * What a run of thousands costs the reducer: CPU of a round's bookkeeping and memory per member.
 *
 * Scripted members without network or tensors join as fast as the rules allow, a fifth of the trainers vanishes in every
 * round, and the log that results is folded again while the clock looks on.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { below, hashOf, SeededRandom } from '@folkmoot/core';
import { apply, canLapse, initialState, type State } from '@folkmoot/protocol';
import {
  type Behaviour,
  ScriptedMember,
  ScriptedRun,
  testCharter,
} from '../packages/protocol/src/scripted.test-support.ts';
import { type Figure, median } from './bench.ts';

const SIZES = [100, 300, 1000, 3000, 10_000];
/** Rounds that are measured, once everybody has joined. */
const ROUNDS = 5;
/** As many as a charter may name. */
const LEASE = { everyMs: 1000, lapseMs: 2000, reserves: 300 };
const COMMITTEE = { minMembers: 2, maxTrainers: 900, maxWitnesses: 16 };

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const points: { size: number; ms: number }[] = [];
  for (const size of SIZES) {
    signal.throwIfAborted();
    const crowd = gather(size);
    const { rounds, state, heapBytes } = fold(crowd);
    const last = rounds.slice(-ROUNDS);
    const entries = median(last.map((round) => round.entries));
    points.push({ size, ms: median(last.map((round) => round.ms)) });
    const note = `${entries} entries, ${median(last.map((round) => round.trainers))} trainers in a round`;
    yield { name: `${size} members, a round`, value: median(last.map((round) => round.ms)), unit: 'ms', note };
    yield {
      name: `${size} members, memory`,
      value: heapBytes / size,
      unit: 'bytes per member',
      note: `${(JSON.stringify(state).length / size).toFixed(0)} as JSON`,
    };
  }
  const note = '1 is linear, 2 quadratic';
  yield { name: 'a round grows with members to the power of', value: exponentOf(points), unit: '', note };
}

/** The slope of log time over log members, by least squares: 1 is linear, 2 quadratic. */
export function exponentOf(points: readonly { size: number; ms: number }[]): number {
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ ms }) => Math.log(ms));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const above = xs.reduce((sum, at, i) => sum + (at - x) * (ys[i]! - y), 0);
  return above / xs.reduce((sum, at) => sum + (at - x) ** 2, 0);
}

/** Scripted members act one after the other, 100 ms each: nobody is late for that. */
const PATIENT = {
  ...testCharter().timing,
  trainMs: 1_000_000,
  revealMs: 1_000_000,
  openTraceMs: 1_000_000,
  auditMs: 1_000_000,
};

/** A log in which `size` members have joined and five more rounds were finished. */
function gather(size: number): ScriptedRun {
  const members = Array.from({ length: size }, (_, i) => new ScriptedMember(i + 1, aFifthVanishes));
  const run = new ScriptedRun(testCharter({ committee: COMMITTEE, timing: PATIENT, lease: LEASE }), members, false);
  const present: ScriptedMember[] = [];
  let until = Number.POSITIVE_INFINITY;
  while (run.state.finalized < until) {
    while (present.length < size && run.state.round.joins < 256) {
      run.join(members[present.length]!);
      present.push(members[present.length]!);
    }
    if (present.length === size) until = Math.min(until, run.state.finalized + ROUNDS + 1);
    let acted = false;
    for (const member of present) acted = run.act(member) || acted;
    if (!acted && !missTheSilent(run)) run.pass();
  }
  return run;
}

/** Keepers name the trainers that do nothing, 64 in a record; their seats go to those who stand by. */
function missTheSilent(run: ScriptedRun): boolean {
  const { keepers, seats } = run.state.round;
  for (const keeper of keepers) {
    const silent = Object.keys(seats).filter((trainer) => canLapse(run.state, keeper, trainer));
    if (silent.length === 0) continue;
    const member = run.members.find(({ id }) => id === keeper)!;
    const named = silent.slice(0, 64).map((trainer) => ({ trainer, lease: null }));
    return run.say(member, 'lapse', { seats: named }) === null;
  }
  return false;
}

/** A trainer in five has gone in the middle of a round; it comes back for the next. */
const aFifthVanishes: Behaviour = (member, duty, run) => {
  if (duty.kind !== 'train') return undefined;
  const random = new SeededRandom(hashOf('vanish', member.id, run.state.round.number));
  return below(random, 5) === 0 ? 'silent' : undefined;
};

interface FoldedRound {
  ms: number;
  entries: number;
  trainers: number;
}

/** Folds the log as a member does that reads it, and measures each round. */
function fold(run: ScriptedRun): { rounds: FoldedRound[]; state: State; heapBytes: number } {
  const before = heapBytes();
  const state = initialState(run.state.charter);
  const rounds: FoldedRound[] = [{ ms: 0, entries: 0, trainers: 0 }];
  for (const entry of run.entries) {
    const round = rounds.at(-1)!;
    const start = process.cpuUsage();
    const events = apply(state, entry);
    // Processor time: what else runs on the machine does not count.
    const { user, system } = process.cpuUsage(start);
    round.ms += (user + system) / 1000;
    round.entries++;
    for (const event of events) if (event.kind === 'assigned') round.trainers = event.trainers.length;
    if (events.some(({ kind }) => kind === 'finalized' || kind === 'void'))
      rounds.push({ ms: 0, entries: 0, trainers: 0 });
  }
  rounds.pop();
  return { rounds, state, heapBytes: heapBytes() - before };
}

/** What the heap holds after a full collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}
