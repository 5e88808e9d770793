/**
 * The vocabulary of a byte-level BPE: end-of-text, the 256 bytes, then one token for each merge.
 *
 * Byte-level and the printable alphabet for bytes are GPT-2's (Radford et al. 2019), so that Hugging Face's `ByteLevel`
 * reads our files.
 */
import { assert, utf8 } from '@folkmoot/core';

/** Stands between documents. Its id is 0. */
export const END_OF_TEXT = '<|endoftext|>';
export const END_OF_TEXT_ID = 0;
/** Byte `b` is token `FIRST_BYTE_ID + b`. */
export const FIRST_BYTE_ID = 1;
/** Tokens before the first merge. */
export const BASE_VOCABULARY = FIRST_BYTE_ID + 256;
/** Token ids are stored in 16 bits. */
export const MAX_VOCABULARY = 65_536;

/** Two token ids that become one. */
export type Merge = readonly [left: number, right: number];

/**
 * GPT-2's words: contractions, letters, digits, the rest, each with one space before it, and runs of white space.
 *
 * `\p{L}` and `\p{N}` follow the Unicode version of the JavaScript engine, so two machines may cut a recently assigned
 * letter differently. Nothing agreed depends on it: only a run's creator turns text into shards.
 */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Merges never cross the border of a word. The words of `text`, concatenated, are `text`. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORD) ?? [];
}

/** Printable bytes stand for themselves, the others for the letters from U+0100 on, in order. */
export const BYTE_LETTERS: readonly string[] = byteLetters();
const BYTE_OF_LETTER: ReadonlyMap<string, number> = new Map(BYTE_LETTERS.map((letter, byte) => [letter, byte]));

/** Tokens in the order of their ids, each written in the byte alphabet. */
export class Vocabulary {
  /** `tokens[id]`; end-of-text is written as itself. */
  readonly tokens: string[] = [END_OF_TEXT, ...BYTE_LETTERS];
  readonly #ids = new Map<string, number>(this.tokens.map((token, id) => [token, id]));

  get size(): number {
    return this.tokens.length;
  }

  /** `undefined` for a text that is no token. */
  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The token of `merge`: a new one, or the older one with the same bytes where another merge made those already. */
  add([left, right]: Merge): number {
    assert(left > END_OF_TEXT_ID && left < this.size && right > END_OF_TEXT_ID && right < this.size, 'merge of tokens');
    const token = this.tokens[left]! + this.tokens[right]!;
    const known = this.#ids.get(token);
    if (known !== undefined) return known;
    this.#ids.set(token, this.size);
    return this.tokens.push(token) - 1;
  }

  /** The bytes of every token. */
  bytes(): Uint8Array[] {
    return this.tokens.map((token, id) =>
      id === END_OF_TEXT_ID ? utf8(token) : Uint8Array.from(token, (letter) => BYTE_OF_LETTER.get(letter)!),
    );
  }
}

function byteLetters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
