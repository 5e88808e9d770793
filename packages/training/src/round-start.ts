/**
 * Where a round starts.
 *
 * With momentum μ the trainers of a run start from the base, moved on along its last change: y = x + μ·(x − x'), where x is
 * the base and x' the one before. The next base is y − α·aggregate. That is Nesterov's method (PyTorch's, with α as rate and
 * the same μ): its momentum is x − x', so there is no state beside two bases, and both are in the headers.
 *
 * A trainer whose codec keeps an error memory may start less a share ρ of it: what it has not been able to say yet is in
 * its own parameters meanwhile, and its gradients know of it.
 *
 * Double precision, each step rounded once to float32: the same on every machine.
 */
import { assert } from '@folkmoot/core';
import { unpackBfloat16 } from './bfloat16.ts';

/** Base + μ·(base − previous). Arenas of N elements; `momentum` as text. */
export function lookAhead(base: Float32Array, previous: Float32Array, momentum: string): Float32Array {
  assert(base.length === previous.length, 'two bases of one run');
  const factor = Number(momentum);
  const start = new Float32Array(base.length);
  for (let i = 0; i < start.length; i++) start[i] = base[i] + factor * (base[i] - previous[i]);
  return start;
}

/** Start − ρ·error. `error`: bfloat16, N elements; `share` is ρ, as text. */
export function aheadOfMemory(start: Float32Array, error: Uint16Array, share: string): Float32Array {
  assert(start.length === error.length, 'an error memory has the size of the arena');
  const factor = Number(share);
  const unsaid = unpackBfloat16(error);
  return start.map((value, i) => value - factor * unsaid[i]);
}
