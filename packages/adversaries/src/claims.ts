/** What adversaries share: offers that look like work. */
import { bytesOf } from '@folkmoot/core';
import { type Offer, startState, type TrainDuty, type Workbench } from '@folkmoot/node';
import { segmentsAfter } from '@folkmoot/records';

/** Claims that every segment ended where the round began, and offers `update`. */
export async function claimNothing(
  bench: Workbench,
  duty: TrainDuty,
  update: Uint8Array,
  signal: AbortSignal,
): Promise<Offer> {
  await startState(bench, duty, signal);
  const state = { params: duty.base, moments: duty.seat.carryIn.moments };
  const states = Array.from({ length: segmentsAfter(bench.charter, duty.seat) }, () => state);
  return { states, update, errorOut: bench.work.zeroError() };
}

/** The same parameters, moved away from `base` by `factor` times their change, little-endian float32. */
export function exaggerate(base: Uint8Array, params: Uint8Array, factor: number): Uint8Array {
  const from = new Float32Array(new Uint8Array(base).buffer);
  const to = new Float32Array(new Uint8Array(params).buffer);
  return bytesOf(to.map((value, i) => from[i]! + factor * (value - from[i]!)));
}
