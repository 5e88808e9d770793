/** What a crowd costs the reducer, which every member runs: processor time of a round's bookkeeping, memory per member. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { rememberSignatures } from '@folkmoot/core';
import { apply, initialState, type State } from '@folkmoot/protocol';
import type { ScriptedRun } from '@folkmoot/protocol/test-support';
import { median } from '../bench.ts';
import { Crowd, crowdCharter } from './crowd.ts';

/** Rounds that are measured, once everybody has joined. */
const ROUNDS = 5;

export interface ReducerPoint {
  readonly members: number;
  /** Seats in a round at most. */
  readonly seats: number;
  /** Of a usual round, medians. */
  readonly trainers: number;
  readonly entries: number;
  readonly roundMs: number;
  /** The dearest of the rounds in which everybody was there, and the dearest single entry. */
  readonly worstRoundMs?: number;
  readonly worstEntryMs?: number;
  readonly heapBytes: number;
  readonly jsonBytes: number;
  /** Audits that stand, terms that have begun. */
  readonly standing?: number;
  readonly terms?: number;
}

/** Lets `members` join a run of so many seats, and folds its log again. */
export function measureReducer(members: number, seats: number): ReducerPoint {
  // Joins cost an elliptic curve each. They are not what is measured, and whoever made them has checked them.
  rememberSignatures(2 * members);
  const { run, whole } = gather(members, seats);
  const { rounds, state, heapBytes } = fold(run);
  const last = rounds.slice(whole);
  const of = (field: keyof FoldedRound) => median(last.map((round) => round[field]));
  return {
    members,
    seats,
    trainers: of('trainers'),
    entries: of('entries'),
    roundMs: of('ms'),
    worstRoundMs: Math.max(...last.map(({ ms }) => ms)),
    worstEntryMs: Math.max(...last.map(({ worstMs }) => worstMs)),
    heapBytes: heapBytes / members,
    jsonBytes: JSON.stringify(state).length / members,
    standing: Object.values(state.members).filter(({ owes }) => owes).length,
    terms: state.term,
  };
}

/** The slope of log y over log x, by least squares: 1 is linear, 2 quadratic. */
export function exponentOf(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (at: 0 | 1) => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const above = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** `whole`: the round that began when everybody had joined, counted from 0. */
function gather(members: number, seats: number): { run: ScriptedRun; whole: number } {
  const crowd = new Crowd(crowdCharter(seats), members);
  const { run } = crowd;
  let whole = 0;
  let isOver = () => false;
  while (!isOver()) {
    crowd.step();
    if (whole > 0 || !crowd.isWhole) continue;
    const { number } = run.state.round;
    whole = number;
    isOver = () => run.state.round.number > number + ROUNDS;
  }
  return { run, whole };
}

interface FoldedRound {
  ms: number;
  worstMs: number;
  entries: number;
  trainers: number;
}

/** Folds the log as a member does that reads it, and measures each round. */
function fold(run: ScriptedRun): { rounds: FoldedRound[]; state: State; heapBytes: number } {
  const before = usedHeapBytes();
  const state = initialState(run.state.charter);
  const fresh = (): FoldedRound => ({ ms: 0, worstMs: 0, entries: 0, trainers: 0 });
  const rounds = [fresh()];
  for (const entry of run.entries) {
    const round = rounds.at(-1)!;
    const start = process.cpuUsage();
    const events = apply(state, entry);
    // Processor time: what else runs on the machine does not count.
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1000;
    round.ms += ms;
    round.worstMs = Math.max(round.worstMs, ms);
    round.entries++;
    for (const event of events) if (event.kind === 'assigned') round.trainers = event.trainers.length;
    if (events.some(({ kind }) => kind === 'finalized' || kind === 'void')) rounds.push(fresh());
  }
  rounds.pop();
  return { rounds, state, heapBytes: usedHeapBytes() - before };
}

/** What the heap holds after a full collection. */
function usedHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}
