/**
 * Merges as Hugging Face's `tokenizer.json`, and back.
 *
 * Every vocabulary has exactly one text, so the file's hash names the tokenizer and a reader need not judge fields: it
 * takes the merges, writes the file again and compares.
 */
import { equalBytes, type JsonBounds, parseBoundedJson, utf8, WorldError } from '@folkmoot/core';
import { END_OF_TEXT, END_OF_TEXT_ID, MAX_VOCABULARY, type Merge, Vocabulary } from './vocabulary.ts';

/** A larger file is refused before it is parsed. */
export const MAX_TOKENIZER_BYTES = 16 * 2 ** 20;
/** A vocabulary, its merges, and two dozen settings. */
const BOUNDS: JsonBounds = { depth: 4, containers: 32, commas: 2 * MAX_VOCABULARY + 128 };

/** UTF-8 JSON with a line end; loads in `tokenizers`, `@huggingface/tokenizers` and `transformers`. */
export function writeTokenizerJson(merges: readonly Merge[]): Uint8Array {
  const vocabulary = new Vocabulary();
  const lines = merges.map((merge) => {
    vocabulary.add(merge);
    return `${vocabulary.tokens[merge[0]]} ${vocabulary.tokens[merge[1]]}`;
  });
  // Written by hand: an object would put keys that look like numbers first.
  const entries = vocabulary.tokens.map((token, id) => `${JSON.stringify(token)}:${id}`);
  const model = `{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{${entries.join(',')}},"merges":${JSON.stringify(lines)}}`;
  const rest = JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: END_OF_TEXT_ID,
        content: END_OF_TEXT,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  });
  return utf8(`${rest.slice(0, -1)},"model":${model}}\n`);
}

/** The merges of a file that `writeTokenizerJson` could have written. Throws `tokenizer-malformed` for any other. */
export function readTokenizerJson(bytes: Uint8Array): Merge[] {
  if (bytes.length > MAX_TOKENIZER_BYTES) throw malformed(`it is larger than ${MAX_TOKENIZER_BYTES} bytes`);
  const merges = parseMerges(mergeLines(bytes));
  if (!equalBytes(writeTokenizerJson(merges), bytes)) throw malformed('it is not in the form that this program writes');
  return merges;
}

function mergeLines(bytes: Uint8Array): unknown[] {
  let lines: unknown;
  try {
    lines = (parseBoundedJson(bytes, BOUNDS) as { model?: { merges?: unknown } } | null)?.model?.merges;
  } catch {
    throw malformed('it is not JSON');
  }
  if (!Array.isArray(lines)) throw malformed('it has no merges');
  return lines;
}

function parseMerges(lines: readonly unknown[]): Merge[] {
  const vocabulary = new Vocabulary();
  return lines.map((line, rank) => {
    const parts = typeof line === 'string' ? line.split(' ') : [];
    const [left, right] = parts.map((part) => vocabulary.idOf(part) ?? END_OF_TEXT_ID);
    if (parts.length !== 2 || !left || !right) throw malformed(`merge ${rank} does not name two earlier tokens`);
    if (vocabulary.add([left, right]) >= MAX_VOCABULARY) throw malformed(`it has more than ${MAX_VOCABULARY} tokens`);
    return [left, right];
  });
}

function malformed(why: string): WorldError {
  return new WorldError('tokenizer-malformed', `This tokenizer.json cannot be used: ${why}.`, {
    help: 'Fetch the tokenizer of the run again, or train one with `create`.',
  });
}
