/** A codec that was tried and is no part of a run: what an update would say, and in how many bits, without writing it. */
import { assert, SeededRandom, shuffled } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import { packBfloat16, type RoundResult, type SparseUpdate, UNIT, unpackBfloat16 } from '@folkmoot/training';
import { CHUNK, tensorChunks } from '../../packages/training/src/chunks.ts';
import { toUnits } from '../../packages/training/src/fixed-point.ts';

/**
 * All members say the same share of the parameters, the next one in an order of chance, so that no places are on the wire;
 * one bit for the sign of each value, and a magnitude for each sign and tensor.
 */
export interface TriedCodec {
  readonly select: 'shared';
  /** Of 4096. */
  readonly keep: number;
  readonly errorDecay: string;
}

/** Bits for each parameter. */
export function bitsTried({ keep }: TriedCodec): number {
  return keep / CHUNK;
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
  const update = signsOf(layout, change, shareOf(change.length, tried.keep, round));
  const { chunks, entries, indices, codes, codebooks } = update;
  for (let tensor = 0; tensor < layout.tensors.length; tensor++)
    for (let chunk = chunks.groups[tensor]; chunk < chunks.groups[tensor + 1]; chunk++)
      for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++)
        change[chunks.starts[chunk] + indices[entry]] -= codebooks[4 * tensor + codes[entry]] * UNIT;
  return { update, errorOut: packBfloat16(change) };
}

/** Marks the next share of all parameters; each comes once before any comes again. */
function shareOf(elements: number, keep: number, round: number): Uint8Array {
  const isChosen = new Uint8Array(elements);
  const share = Math.ceil((elements * keep) / CHUNK);
  const perPass = Math.ceil(elements / share);
  const order = shuffled(
    new SeededRandom(`pass ${Math.floor(round / perPass)}`),
    Array.from({ length: elements }, (_, i) => i),
  );
  for (let i = 0; i < share; i++) isChosen[order[((round % perPass) * share + i) % elements]] = 1;
  return isChosen;
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
