/**
 * Training a byte-pair encoding (Sennrich et al. 2016): join the most frequent pair of neighbours, again and again.
 *
 * Counts are kept per distinct word and changed only where a merge touched a word, so the cost follows the number of
 * changes and not the size of the text. The same words with the same counts give the same merges on every machine.
 */
import { utf8, WorldError } from '@folkmoot/core';
import { Heap } from './heap.ts';
import { BASE_VOCABULARY, FIRST_BYTE_ID, MAX_VOCABULARY, type Merge, Vocabulary, wordsOf } from './vocabulary.ts';

/** A pair that occurs once says nothing about the language. */
const MIN_PAIR_COUNT = 2;

/**
 * Learns the merges that give `texts` a vocabulary of `vocab` tokens.
 *
 * Each merge is the pair with the largest count of neighbouring places, overlapping ones included; among equals the
 * lowest left id, then the lowest right id. `vocab` in [257, 65,536]. Throws `vocabulary-too-large` where the pairs run
 * out first.
 */
export function trainMerges(texts: Iterable<string>, vocab: number): Merge[] {
  if (!Number.isInteger(vocab) || vocab < BASE_VOCABULARY || vocab > MAX_VOCABULARY)
    throw new RangeError(`vocab ${vocab} is not in [${BASE_VOCABULARY}, ${MAX_VOCABULARY}]`);
  const table = new WordTable(countWords(texts), vocab);
  const vocabulary = new Vocabulary();
  const merges: Merge[] = [];
  while (vocabulary.size < vocab) {
    const merge = table.mostFrequentPair();
    if (!merge) throw tooLarge(vocab, vocabulary.size);
    merges.push(merge);
    table.replace(merge, vocabulary.add(merge));
  }
  return merges;
}

function tooLarge(asked: number, allowed: number): WorldError {
  return new WorldError(
    'vocabulary-too-large',
    `The data allows a vocabulary of at most ${allowed} tokens, and ${asked} were asked for.`,
    { facts: { asked, allowed }, help: `Ask for a vocabulary of at most ${allowed} tokens, or add more text.` },
  );
}

function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

interface Candidate {
  readonly count: number;
  readonly pair: number;
}

/** The distinct words as token ids, with the count and the whereabouts of every pair of neighbours. */
class WordTable {
  /** The ids of all words, one after another; a word shrinks in its own place. */
  readonly #ids: Uint16Array;
  readonly #start: Int32Array;
  readonly #length: Int32Array;
  readonly #wordCount: Float64Array;
  /** A pair's key is `left · vocab + right`: it orders pairs as (left, right). */
  readonly #vocab: number;
  readonly #pairCount = new Map<number, number>();
  /** Words in which a pair came to be; it may have gone again, and a word may be named twice. */
  readonly #places = new Map<number, number[]>();
  /**
   * For every pair with a count, an entry with at least that count. Stale entries are put right when they reach the top.
   */
  readonly #heap = new Heap<Candidate>((a, b) => a.count > b.count || (a.count === b.count && a.pair < b.pair));

  constructor(words: ReadonlyMap<string, number>, vocab: number) {
    const texts = [...words.keys()].map(utf8);
    this.#vocab = vocab;
    this.#ids = new Uint16Array(texts.reduce((size, text) => size + text.length, 0));
    this.#start = new Int32Array(texts.length);
    this.#length = Int32Array.from(texts, (text) => text.length);
    this.#wordCount = Float64Array.from(words.values());
    let at = 0;
    for (const [word, text] of texts.entries()) {
      this.#start[word] = at;
      for (const byte of text) this.#ids[at++] = FIRST_BYTE_ID + byte;
      for (let i = at - text.length; i + 1 < at; i++) this.#count(this.#ids[i]!, this.#ids[i + 1]!, word, 1);
    }
    for (const [pair, count] of this.#pairCount) this.#heap.push({ pair, count });
  }

  /** `undefined` where no pair is frequent enough. */
  mostFrequentPair(): Merge | undefined {
    for (let top = this.#heap.pop(); top; top = this.#heap.pop()) {
      const count = this.#pairCount.get(top.pair) ?? 0;
      if (count < MIN_PAIR_COUNT) continue;
      if (count === top.count) return [Math.floor(top.pair / this.#vocab), top.pair % this.#vocab];
      if (count < top.count) this.#heap.push({ pair: top.pair, count });
    }
    return undefined;
  }

  /** Writes `token` wherever `merge` stands, from left to right in each word. */
  replace(merge: Merge, token: number): void {
    const pair = this.#key(...merge);
    const grown = new Set<number>();
    for (const word of this.#places.get(pair) ?? []) this.#replaceInWord(word, merge, token, grown);
    this.#pairCount.delete(pair);
    this.#places.delete(pair);
    for (const key of grown) {
      const count = this.#pairCount.get(key) ?? 0;
      if (count >= MIN_PAIR_COUNT) this.#heap.push({ pair: key, count });
    }
  }

  #replaceInWord(word: number, [left, right]: Merge, token: number, grown: Set<number>): void {
    const ids = this.#ids;
    const start = this.#start[word]!;
    const end = start + this.#length[word]!;
    let to = start;
    for (let from = start; from < end; from++) {
      if (ids[from] !== left || from + 1 >= end || ids[from + 1] !== right) {
        ids[to++] = ids[from]!;
        continue;
      }
      if (to > start) {
        this.#count(ids[to - 1]!, left, word, -1);
        grown.add(this.#count(ids[to - 1]!, token, word, 1));
      }
      if (from + 2 < end) {
        this.#count(right, ids[from + 2]!, word, -1);
        grown.add(this.#count(token, ids[from + 2]!, word, 1));
      }
      ids[to++] = token;
      from++;
    }
    this.#length[word] = to - start;
  }

  /** Adds or takes away one place of the pair in `word`. Returns the pair's key. */
  #count(left: number, right: number, word: number, sign: 1 | -1): number {
    const key = this.#key(left, right);
    this.#pairCount.set(key, (this.#pairCount.get(key) ?? 0) + sign * this.#wordCount[word]!);
    if (sign < 0) return key;
    const places = this.#places.get(key);
    if (!places) this.#places.set(key, [word]);
    else if (places.at(-1) !== word) places.push(word);
    return key;
  }

  #key(left: number, right: number): number {
    return left * this.#vocab + right;
  }
}
