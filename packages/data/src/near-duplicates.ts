/**
 * Near-duplicates: documents of which an earlier one says nearly the same.
 *
 * MinHash (Broder 1997) with banding (Indyk and Motwani 1998) finds candidates in time proportional to the text;
 * the Jaccard similarity of a candidate is then computed from the shingles themselves, so nothing is dropped on an
 * estimate. Integers only, and constants for seeds: the same documents in the same order give the same answer.
 */
import { common, distinct, shingles } from './shingles.ts';
import { scramble } from './words.ts';

/** A document is dropped from this similarity on, as a fraction: 4/5. */
export const NEAR = { numerator: 4, denominator: 5 } as const;

/**
 * 20 bands of 6 hashes: a pair of similarity s becomes a candidate with probability 1 − (1 − s⁶)²⁰, which is 0.998 at
 * 0.8, 0.92 at 0.7, 0.27 at 0.5.
 */
const BANDS = 20;
const BAND_ROWS = 6;
const HASHES = BANDS * BAND_ROWS;

/**
 * For each document the earlier one that it nearly repeats, or −1.
 *
 * The earlier one is always one that is kept itself, so chains of small changes do not drop what has drifted far.
 */
export function nearDuplicates(texts: readonly string[]): Int32Array {
  const index = new BandIndex(texts.length);
  const sizes = new Int32Array(texts.length);
  const repeats = new Int32Array(texts.length).fill(-1);
  for (const [i, text] of texts.entries()) {
    const all = shingles(text);
    if (all.length === 0) continue;
    const keys = bandKeys(all);
    const own = distinct(all);
    sizes[i] = own.length;
    const original = index
      .candidates(keys)
      .find((other) => couldBeNear(own.length, sizes[other]!) && isNear(own, distinct(shingles(texts[other]!))));
    if (original === undefined) index.add(keys, i);
    else repeats[i] = original;
  }
  return repeats;
}

/** Whether sets of these sizes can be similar enough: the smaller one must nearly fill the larger. */
function couldBeNear(a: number, b: number): boolean {
  return NEAR.denominator * Math.min(a, b) >= NEAR.numerator * Math.max(a, b);
}

function isNear(a: Uint32Array, b: Uint32Array): boolean {
  const shared = common(a, b);
  return NEAR.denominator * shared >= NEAR.numerator * (a.length + b.length - shared);
}

/** One key for each band: equal where the six smallest hashes of the band are. */
function bandKeys(values: Uint32Array): Uint32Array {
  const smallest = new Uint32Array(HASHES).fill(0xffffffff);
  for (const value of values)
    for (let k = 0; k < HASHES; k++) {
      const mixed = Math.imul(value ^ SEEDS[k]!, FACTORS[k]!);
      const hash = (mixed ^ (mixed >>> 15)) >>> 0;
      if (hash < smallest[k]!) smallest[k] = hash;
    }
  const keys = new Uint32Array(BANDS);
  for (let k = 0; k < HASHES; k++) {
    const band = Math.floor(k / BAND_ROWS);
    keys[band] = scramble(Math.imul(keys[band]!, 0x9e3779b1) + smallest[k]!);
  }
  return keys;
}

/** Numbers that look random and are the same everywhere; factors are odd, so that multiplying loses nothing. */
const SEEDS = Uint32Array.from({ length: HASHES }, (_, k) => scramble(2 * k + 1));
const FACTORS = Uint32Array.from({ length: HASHES }, (_, k) => scramble(2 * k + 2) | 1);

/**
 * For each band a table from key to the first kept document with it.
 *
 * One document for each key bounds the work: a text is compared with at most one other for each band, however many
 * thousand share its licence.
 */
class BandIndex {
  readonly #mask: number;
  readonly #keys: Uint32Array;
  /** Document + 1; 0 where the place is free. */
  readonly #documents: Int32Array;

  constructor(documents: number) {
    let capacity = 16;
    while (capacity < 2 * documents) capacity *= 2;
    this.#mask = capacity - 1;
    this.#keys = new Uint32Array(BANDS * capacity);
    this.#documents = new Int32Array(BANDS * capacity);
  }

  /** In ascending order, each once. */
  candidates(keys: Uint32Array): number[] {
    const found = new Set<number>();
    for (let band = 0; band < BANDS; band++) {
      const document = this.#documents[this.#place(band, keys[band]!)]!;
      if (document > 0) found.add(document - 1);
    }
    return [...found].sort((a, b) => a - b);
  }

  add(keys: Uint32Array, document: number): void {
    for (let band = 0; band < BANDS; band++) {
      const place = this.#place(band, keys[band]!);
      if (this.#documents[place] !== 0) continue;
      this.#keys[place] = keys[band]!;
      this.#documents[place] = document + 1;
    }
  }

  /** Where `key` is, or the free place where it would be; at most half of the places are taken. */
  #place(band: number, key: number): number {
    const start = band * (this.#mask + 1);
    let at = key & this.#mask;
    while (this.#documents[start + at] !== 0 && this.#keys[start + at] !== key) at = (at + 1) & this.#mask;
    return start + at;
  }
}
