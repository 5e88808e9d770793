/** Codecs that were tried and are no part of a run: what an update would say, and in how many bits, without writing them. */
import { assert, SeededRandom, shuffled } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import { packBfloat16, type RoundResult, type SparseUpdate, UNIT, unpackBfloat16 } from '@folkmoot/training';
import { CHUNK, tensorChunks } from '../../packages/training/src/chunks.ts';
import { toUnits } from '../../packages/training/src/fixed-point.ts';
import { log2Binomial } from './accounting.ts';

export interface TriedCodec {
  /**
   * Which parameters are said: the largest of each chunk, in whole runs of `run` (default 1); the largest of all; or, for
   * all members the same and without places on the wire, the next share of all parameters in an order of chance.
   */
  readonly select: 'chunk' | 'arena' | 'shared';
  readonly run?: number;
  /** Of 4096. */
  readonly keep: number;
  readonly errorDecay: string;
}

/** Bits for each parameter: places, and one for the sign of each value; magnitudes are one for each sign and tensor. */
export function bitsTried({ select, keep, run = 1 }: TriedCodec): number {
  const places = select === 'shared' ? 0 : log2Binomial(CHUNK / run, keep / run);
  return (places + keep) / CHUNK;
}

/** The update that `tried` makes of a round, and the error memory that it leaves. */
export function tryCodec(
  layout: ParameterLayout,
  tried: TriedCodec,
  { base, end, errorIn }: RoundResult,
  round: number,
): { update: SparseUpdate; errorOut: Uint16Array } {
  const decay = Number(tried.errorDecay);
  const change = unpackBfloat16(errorIn);
  for (let i = 0; i < change.length; i++) change[i] = decay * change[i] + Math.fround(base[i] - end[i]);
  assert(change.every(Number.isFinite), 'this arm has diverged');
  const update = signsOf(layout, change, chosen(layout, tried, change, round));
  const { chunks, entries, indices, codes, codebooks } = update;
  for (let tensor = 0; tensor < layout.tensors.length; tensor++)
    for (let chunk = chunks.groups[tensor]; chunk < chunks.groups[tensor + 1]; chunk++)
      for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++)
        change[chunks.starts[chunk] + indices[entry]] -= codebooks[4 * tensor + codes[entry]] * UNIT;
  return { update, errorOut: packBfloat16(change) };
}

function chosen(layout: ParameterLayout, tried: TriedCodec, change: Float32Array, round: number): Uint8Array {
  const isChosen = new Uint8Array(change.length);
  const { select, keep, run = 1 } = tried;
  if (select === 'arena') markLargest(change, isChosen, 0, change.length, keep, 1);
  if (select === 'shared') markShare(isChosen, keep, round);
  if (select !== 'chunk') return isChosen;
  const { count, starts, lengths } = tensorChunks(layout);
  for (let chunk = 0; chunk < count; chunk++) markLargest(change, isChosen, starts[chunk], lengths[chunk], keep, run);
  return isChosen;
}

/** Marks the runs with the largest sums of squares, as many as `keep` of 4096 parameters are. */
function markLargest(
  change: Float32Array,
  isChosen: Uint8Array,
  start: number,
  length: number,
  keep: number,
  run: number,
): void {
  const runs = Array.from({ length: Math.ceil(length / run) }, (_, i) => {
    const [from, to] = [start + i * run, Math.min(start + length, start + (i + 1) * run)];
    return { from, to, size: change.subarray(from, to).reduce((sum, value) => sum + value * value, 0) };
  });
  runs.sort((a, b) => b.size - a.size);
  for (const { from, to } of runs.slice(0, Math.ceil((length * keep) / CHUNK / run))) isChosen.fill(1, from, to);
}

/** Marks the next share of all parameters; each comes once before any comes again. */
function markShare(isChosen: Uint8Array, keep: number, round: number): void {
  const elements = isChosen.length;
  const share = Math.ceil((elements * keep) / CHUNK);
  const perPass = Math.ceil(elements / share);
  const order = shuffled(
    new SeededRandom(`pass ${Math.floor(round / perPass)}`),
    Array.from({ length: elements }, (_, i) => i),
  );
  for (let i = 0; i < share; i++) isChosen[order[((round % perPass) * share + i) % elements]] = 1;
}

/** The chosen changes, each as the mean magnitude of its sign in its tensor. */
function signsOf(layout: ParameterLayout, change: Float32Array, isChosen: Uint8Array): SparseUpdate {
  const chunks = tensorChunks(layout);
  const entries = new Uint32Array(chunks.count + 1);
  const indices: number[] = [];
  const codes: number[] = [];
  const codebooks = new Int32Array(4 * layout.tensors.length);
  for (let tensor = 0; tensor < layout.tensors.length; tensor++) {
    const sums = [0, 0];
    const counts = [0, 0];
    for (let chunk = chunks.groups[tensor]; chunk < chunks.groups[tensor + 1]; chunk++) {
      for (let i = 0; i < chunks.lengths[chunk]; i++) {
        const at = chunks.starts[chunk] + i;
        if (!isChosen[at]) continue;
        const sign = change[at] < 0 ? 0 : 1;
        indices.push(i);
        codes.push(sign);
        sums[sign] += change[at];
        counts[sign]++;
      }
      entries[chunk + 1] = indices.length;
    }
    codebooks.set(
      sums.map((sum, sign) => (counts[sign] === 0 ? 0 : toUnits(sum / counts[sign]))),
      4 * tensor,
    );
  }
  return {
    kind: 'sparse',
    chunks,
    entries,
    indices: Uint16Array.from(indices),
    codes: Uint8Array.from(codes),
    codebooks,
  };
}
