/** Text to token ids and back. */
import { assert, concat, type Hash, sha256, utf8 } from '@folkmoot/core';
import { trainMerges } from './bpe-trainer.ts';
import { Heap } from './heap.ts';
import { readTokenizerJson, writeTokenizerJson } from './tokenizer-json.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, FIRST_BYTE_ID, type Merge, Vocabulary, wordsOf } from './vocabulary.ts';

/** Words seen before are looked up. Text repeats few words often, and long ones seldom. */
const CACHED_WORDS = 2 ** 16;
const CACHED_WORD_LENGTH = 32;

/** A byte-level BPE that gives the ids of Hugging Face's tokenizers for the same `tokenizer.json`. */
export class Tokenizer {
  /** Number of tokens; ids are in [0, vocab). */
  readonly vocab: number;
  readonly #merges: readonly Merge[];
  readonly #tokenBytes: readonly Uint8Array[];
  /** Pair key → rank, and rank → the token made. */
  readonly #rank = new Map<number, number>();
  readonly #made: number[] = [];
  readonly #cache = new Map<string, readonly number[]>();
  #json: Uint8Array | undefined;

  /** From merges in the order in which they were learnt. */
  constructor(merges: readonly Merge[]) {
    const vocabulary = new Vocabulary();
    this.#merges = merges;
    this.#made = merges.map((merge) => vocabulary.add(merge));
    this.vocab = vocabulary.size;
    this.#tokenBytes = vocabulary.bytes();
    for (const [rank, [left, right]] of merges.entries()) this.#rank.set(left * this.vocab + right, rank);
  }

  /** Learns `vocab` tokens from `texts`. Throws `vocabulary-too-large`. */
  static train(texts: Iterable<string>, vocab: number): Tokenizer {
    return new Tokenizer(trainMerges(texts, vocab));
  }

  /** Reads a `tokenizer.json` of ours. Throws `tokenizer-malformed`. */
  static fromJson(bytes: Uint8Array): Tokenizer {
    return new Tokenizer(readTokenizerJson(bytes));
  }

  /** The bytes of `tokenizer.json`: the same for the same merges. */
  toJson(): Uint8Array {
    return (this.#json ??= writeTokenizerJson(this.#merges));
  }

  /** sha-256 of `toJson()`: the artifact's id. */
  get id(): Hash {
    return sha256(this.toJson());
  }

  /** The ids of `text`. `<|endoftext|>` inside it is the end-of-text token, as Hugging Face reads it. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (const [i, part] of text.split(END_OF_TEXT).entries()) {
      if (i > 0) ids.push(END_OF_TEXT_ID);
      this.#encodeInto(ids, part);
    }
    return ids;
  }

  /** The ids of `text` as plain text: `<|endoftext|>` inside it is spelt out, so no document can end itself. */
  encodeDocument(text: string): number[] {
    const ids: number[] = [];
    this.#encodeInto(ids, text);
    return ids;
  }

  /** The text of `ids`; bytes that are no UTF-8 become U+FFFD. Ids outside the vocabulary are a bug of the caller. */
  decode(ids: Iterable<number>): string {
    // A character cannot reach across an end of text, so each stretch is decoded by itself.
    const stretches: Uint8Array[][] = [[]];
    for (const id of ids) {
      if (id === END_OF_TEXT_ID) stretches.push([]);
      else stretches.at(-1)!.push(this.bytesOf(id));
    }
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return stretches.map((stretch) => decoder.decode(concat(stretch))).join(END_OF_TEXT);
  }

  /** The bytes of one token: part of a character, perhaps. */
  bytesOf(id: number): Uint8Array {
    const bytes = this.#tokenBytes[id];
    assert(bytes, `${id} is no token`);
    return bytes;
  }

  #encodeInto(ids: number[], text: string): void {
    for (const word of wordsOf(text)) for (const id of this.#encodeWord(word)) ids.push(id);
  }

  #encodeWord(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known) return known;
    const ids = this.#applyMerges(utf8(word));
    if (word.length > CACHED_WORD_LENGTH) return ids;
    if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  /**
   * Applies merges in the order of their ranks, the leftmost first, until none is left.
   *
   * A heap of candidates over a linked list: O(n log n), since a word may be a file of one letter.
   */
  #applyMerges(bytes: Uint8Array): number[] {
    const n = bytes.length;
    const ids = Int32Array.from(bytes, (byte) => FIRST_BYTE_ID + byte);
    const next = Int32Array.from(bytes, (_, i) => i + 1);
    const previous = Int32Array.from(bytes, (_, i) => i - 1);
    const rankAt = (at: number) =>
      at >= 0 && next[at]! < n ? this.#rank.get(ids[at]! * this.vocab + ids[next[at]!]!) : undefined;
    // A candidate is `rank · n + position`, so that the smallest is the one to apply.
    const candidates = new Heap<number>((a, b) => a < b);
    const consider = (at: number) => {
      const rank = rankAt(at);
      if (rank !== undefined) candidates.push(rank * n + at);
    };
    for (let at = 0; at < n; at++) consider(at);
    for (let candidate = candidates.pop(); candidate !== undefined; candidate = candidates.pop()) {
      const at = candidate % n;
      const rank = (candidate - at) / n;
      // Gone, or another pair by now.
      if (ids[at] === GONE || rankAt(at) !== rank) continue;
      const gone = next[at]!;
      ids[at] = this.#made[rank]!;
      ids[gone] = GONE;
      next[at] = next[gone]!;
      if (next[at]! < n) previous[next[at]!] = at;
      consider(previous[at]!);
      consider(at);
    }
    return Array.from(ids.filter((id) => id !== GONE));
  }
}

const GONE = -1;
