/** Shingles: stretches of consecutive words, as integers. Texts that share many are near-duplicates (Broder 1997). */
import { scramble, wordHashes } from './words.ts';

/** Words in a shingle. */
const WIDTH = 5;

/** A hash in 32 bits of every five consecutive words, in order; of all words where there are fewer. Empty without words. */
export function shingles(text: string): Uint32Array {
  const words = wordHashes(text);
  if (words.length === 0) return words;
  const width = Math.min(WIDTH, words.length);
  const result = new Uint32Array(words.length - width + 1);
  for (let i = 0; i < result.length; i++) {
    let hash = 0;
    for (let j = 0; j < width; j++) hash = Math.imul(hash, 0x9e3779b1) + words[i + j]!;
    result[i] = scramble(hash);
  }
  return result;
}

/** The different ones of `values`, ascending. */
export function distinct(values: Uint32Array): Uint32Array {
  const sorted = values.slice().sort();
  let count = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[count++] = sorted[i]!;
  return sorted.subarray(0, count);
}

/** How many values two ascending lists without repeats have in common. */
export function common(a: Uint32Array, b: Uint32Array): number {
  let [i, j, count] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) count++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return count;
}
