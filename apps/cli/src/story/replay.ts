/** Re-executes what a trainer claims, as its auditor did, and says what came out. */
import { type DeviceId, type Hash, sha256 } from '@folkmoot/core';
import type { StateBytes } from '@folkmoot/node';
import { aheadIn, segmentsAfter } from '@folkmoot/records';
import { judge, MAX_DISTANCE_PPM, type Verdict } from '@folkmoot/verify';
import type { ReplayBench } from './replay-bench.ts';
import type { OpenedSegment, PublicRound, Replayable } from './replayable.ts';

export type Outcome = Verdict['outcome'];

export interface Finding {
  readonly outcome: Outcome;
  /** Where a mismatch lies; null for a match. */
  readonly part: 'segment' | 'encode' | null;
  /** Of the worst tensor, parts per million of the change; null where no end state was opened to measure against. */
  readonly distancePpm: number | null;
  readonly tensor: string;
  /** The first tensor that differs at all. */
  readonly firstTensor: string;
  /** Ids of the claimed and the recomputed parts, by name. */
  readonly claimed: Readonly<Record<string, Hash>>;
  readonly mine: Readonly<Record<string, Hash>>;
  /** Of each step, nats per token. */
  readonly losses: readonly number[];
  readonly tookMs: number;
}

/** Throws `artifact-unavailable` where something cannot be had. */
export function replay(bench: ReplayBench, one: Replayable, signal: AbortSignal): Promise<Finding> {
  return one.kind === 'segment' ? replaySegment(bench, one, signal) : replayRound(bench, one, signal);
}

/** The state at which an opened segment starts. */
export async function startOf(bench: ReplayBench, { audit }: OpenedSegment): Promise<StateBytes> {
  const from = [audit.trainer, ...audit.auditors];
  return {
    params:
      audit.segment === 1
        ? await roundStart(bench, audit, audit.round, audit.carryIn.error, from)
        : await bench.params(audit.opened.params, 'the parameters at the start of the segment', from),
    moments: await bench.moments(audit.opened.moments, 'the moments at the start of the segment', from),
  };
}

/** The state at which its trainer says that it ends. */
export async function claimedEndOf(bench: ReplayBench, { audit }: OpenedSegment): Promise<StateBytes> {
  const from = [audit.trainer, ...audit.auditors];
  return {
    params: await bench.params(audit.closed.endParams, 'the claimed parameters at its end', from),
    moments: await bench.moments(audit.closed.endMoments, 'the claimed moments at its end', from),
  };
}

async function replaySegment(bench: ReplayBench, one: OpenedSegment, signal: AbortSignal): Promise<Finding> {
  const { audit } = one;
  const { round, seed, seat, skip, carryIn, segment, closed, update, commit } = audit;
  const assignment = { round, seed, seat, skip, carriedSteps: carryIn.steps };
  const start = await startOf(bench, one);
  const encoding = await encodingOf(bench, one);
  const startedMs = performance.now();
  const end = await bench.work.replay(assignment, segment, start, signal);
  const tookMs = performance.now() - startedMs;
  const claimed = { params: closed.endParams, moments: closed.endMoments, update, errorOut: commit.errorOut };
  if (!end) return diverged(claimed, tookMs);
  const mine = { ...idsOf(end), ...encoding };
  const { outcome, part, distancePpm, tensor, first } = await judge({
    claimed,
    mine,
    tolerancePpm: bench.run.charter.engine.tolerancePpm,
    distance: async () => bench.work.distance(start, end, await claimedEndOf(bench, one)),
    encodes: async () => mine.update === update && mine.errorOut === commit.errorOut,
  });
  const where = { part: outcome === 'mismatch' ? part : null, distancePpm, tensor, firstTensor: first };
  return { outcome, ...where, claimed, mine, losses: end.losses, tookMs };
}

/** What encoding the claimed last state gives. */
async function encodingOf(bench: ReplayBench, { audit }: OpenedSegment): Promise<EncodedIds> {
  const from = [audit.trainer, ...audit.auditors];
  const start = await roundStart(bench, audit, audit.round, audit.carryIn.error, from);
  const last = await bench.params(audit.closed.lastParams, 'the claimed parameters at the end of the round', from);
  const error = await bench.error(audit.carryIn.error, 'the error memory', from);
  return encodedIds(bench, start, last, error);
}

/** The parameters at which a trainer's round starts. */
async function roundStart(
  bench: ReplayBench,
  { base, previous }: { base: Hash; previous: Hash },
  round: number,
  error: Hash,
  from: readonly DeviceId[],
): Promise<Uint8Array> {
  const { aggregator, codec } = bench.run.charter;
  const bytes = await bench.params(base, 'the base of the round', from);
  const moved = aggregator.momentum !== undefined && previous !== base;
  const start = moved ? bench.work.start(bytes, await bench.params(previous, 'the base before it', from)) : bytes;
  const share = aheadIn(codec, round);
  return share === undefined
    ? start
    : bench.work.ownStart(start, await bench.error(error, 'the error memory', from), share);
}

/** Every segment from the base and zeros: what comes out must be what was committed and revealed. */
async function replayRound(bench: ReplayBench, { file, seat, round, trainer }: PublicRound, signal: AbortSignal) {
  const { charter } = bench.run;
  const start = await roundStart(bench, file, round, charter.zeroError, [trainer]);
  const zeros = { moments: bench.work.zeroMoments(), error: bench.work.zeroError() };
  const assignment = { round, seed: file.seed, seat: seat.seat, skip: seat.skip, carriedSteps: seat.carryIn.steps };
  const claimed = { moments: seat.momentsOut, update: seat.update, errorOut: seat.errorOut };
  const losses: number[] = [];
  let state: StateBytes = { params: start, moments: zeros.moments };
  const startedMs = performance.now();
  for (let segment = 1; segment <= segmentsAfter(charter, seat); segment++) {
    const end = await bench.work.replay(assignment, segment, state, signal);
    if (!end) return diverged(claimed, performance.now() - startedMs);
    losses.push(...end.losses);
    state = end;
  }
  const tookMs = performance.now() - startedMs;
  const mine = {
    moments: idsOf(state).moments,
    ...encodedIds(bench, start, state.params, zeros.error),
  };
  const equal =
    mine.moments === claimed.moments && mine.update === claimed.update && mine.errorOut === claimed.errorOut;
  const part = equal ? null : 'segment';
  return {
    outcome: equal ? 'match' : 'mismatch',
    part,
    distancePpm: equal ? 0 : null,
    tensor: '',
    firstTensor: '',
    claimed,
    mine,
    losses,
    tookMs,
  } as const satisfies Finding;
}

interface EncodedIds {
  readonly update: Hash;
  readonly errorOut: Hash;
}

function encodedIds(bench: ReplayBench, start: Uint8Array, last: Uint8Array, error: Uint8Array): EncodedIds {
  const encoding = bench.work.encode(start, last, error);
  return {
    update: encoding ? sha256(encoding.update) : 'nothing: the state is not finite',
    errorOut: encoding ? sha256(encoding.errorOut) : 'nothing: the state is not finite',
  };
}

function idsOf({ params, moments }: StateBytes): { params: Hash; moments: Hash } {
  return { params: sha256(params), moments: sha256(moments) };
}

function diverged(claimed: Finding['claimed'], tookMs: number): Finding {
  return {
    outcome: 'mismatch',
    part: 'segment',
    distancePpm: MAX_DISTANCE_PPM,
    tensor: 'all: training from the opened state comes to nothing',
    firstTensor: 'all: training from the opened state comes to nothing',
    claimed,
    mine: {},
    losses: [],
    tookMs,
  };
}
