/** What liars offer in the place of training: made of the base and of what honest members offer. */
import { SeededRandom } from '@folkmoot/core';
import type { RoundResult } from '@folkmoot/training';
import type { Attack } from './arm.ts';

/** The ends that `liars` members claim, given those of the honest ones, and one seed a round. */
export function lies(
  kind: Attack,
  liars: number,
  base: Float32Array,
  honest: readonly RoundResult[],
  seed: string,
): Float32Array[] {
  if (kind === 'absent') return [];
  const random = new SeededRandom(seed);
  const victim = honest[0];
  const moved = (factor: number) => base.map((value, i) => value + factor * (victim.end[i] - base[i]));
  const one = (): Float32Array => {
    if (kind === 'scaled') return moved(100);
    if (kind === 'flipped') return moved(-1);
    if (kind === 'copied') return moved(1);
    const size = rootMeanSquare(base, victim.end);
    return base.map((value) => value + size * normal(random));
  };
  if (kind !== 'colluding') return Array.from({ length: liars }, one);
  // Both push the same way against the mean of the honest, each a little differently.
  const mean = base.map((value, i) => honest.reduce((sum, { end }) => sum + end[i] - value, 0) / honest.length);
  return Array.from({ length: liars }, (_, k) => base.map((value, i) => value - (1 + k / 10) * mean[i]));
}

function rootMeanSquare(base: Float32Array, end: Float32Array): number {
  return Math.sqrt(base.reduce((sum, value, i) => sum + (end[i] - value) ** 2, 0) / base.length);
}

function normal(random: SeededRandom): number {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += random.uint32() / 2 ** 32 - 0.5;
  return sum * Math.sqrt(3);
}
