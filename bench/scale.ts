/**
 * What a run of thousands costs the reducer: CPU of a round's bookkeeping and memory per member.
 *
 * Scripted members without network or tensors join as fast as the rules allow, a fifth of the trainers vanishes in every
 * round, and the log that results is folded again while the clock looks on.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { below, hashOf, SeededRandom } from '@folkmoot/core';
import { apply, initialState, type State } from '@folkmoot/protocol';
import {
  type Behaviour,
  ScriptedMember,
  ScriptedRun,
  testCharter,
} from '../packages/protocol/src/scripted.test-support.ts';
import { type Figure, median } from './bench.ts';

const SIZES = [100, 1000, 3000, 10_000];
/** Rounds that are measured, once everybody has joined. */
const ROUNDS = 5;
/** As many as a charter may name. */
const COMMITTEE = { minMembers: 2, maxTrainers: 900, maxWitnesses: 16 };

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  for (const size of SIZES) {
    signal.throwIfAborted();
    const crowd = gather(size);
    const { rounds, state, heapBytes } = fold(crowd);
    const last = rounds.slice(-ROUNDS);
    const entries = median(last.map((round) => round.entries));
    const note = `${entries} entries, ${median(last.map((round) => round.trainers))} trainers in a round`;
    yield { name: `${size} members, a round`, value: median(last.map((round) => round.ms)), unit: 'ms', note };
    yield {
      name: `${size} members, memory`,
      value: heapBytes / size,
      unit: 'bytes per member',
      note: `${(JSON.stringify(state).length / size).toFixed(0)} as JSON`,
    };
  }
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
  const run = new ScriptedRun(testCharter({ committee: COMMITTEE, timing: PATIENT }), members, false);
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
    if (!acted) run.pass();
  }
  return run;
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
    const start = performance.now();
    const events = apply(state, entry);
    round.ms += performance.now() - start;
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
