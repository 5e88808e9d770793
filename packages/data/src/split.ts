/** Train and hold-out: by hash, so that anybody with the documents arrives at the same split. */
import { compareNames, describe, type SourceDocument } from './documents.ts';

/** Cutting aims at this many pieces of all text together. */
const PIECES = 64;
const MIN_PIECE_BYTES = 4096;
const MAX_PIECE_BYTES = 2 ** 20;

/**
 * Cuts documents over a 64th of the whole, within [4 KiB, 1 MiB], at line ends.
 *
 * A split by hash needs many documents of similar size: one book would otherwise be all train or all hold-out. Piece k
 * of `name` is called `name#k`. Pieces that repeat an earlier text are dropped.
 */
export function cutLongDocuments(documents: readonly SourceDocument[]): SourceDocument[] {
  const total = documents.reduce((size, document) => size + document.bytes, 0);
  const limit = Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, Math.ceil(total / PIECES)));
  const seen = new Set<string>();
  return documents
    .flatMap((document) => (document.bytes > limit ? cut(document, limit) : [document]))
    .filter(({ sha256 }) => !seen.has(sha256) && seen.add(sha256));
}

/**
 * The documents of the hold-out, as indices: in ascending order of their hashes, those whose first four digits are below
 * `holdoutPpm` of 65,536, and then as many more as it takes to hold `minTokens`.
 *
 * `tokens`: the size of each document.
 */
export function chooseHoldout(
  documents: readonly SourceDocument[],
  tokens: readonly number[],
  holdoutPpm: number,
  minTokens: number,
): Set<number> {
  const order = [...documents.keys()].sort((a, b) => compareNames(documents[a]!.sha256, documents[b]!.sha256));
  const threshold = Math.floor((65_536 * holdoutPpm) / 1_000_000);
  const chosen = new Set<number>();
  let size = 0;
  for (const index of order) {
    const below = Number.parseInt(documents[index]!.sha256.slice(0, 4), 16) < threshold;
    if (!below && size >= minTokens) break;
    chosen.add(index);
    size += tokens[index]!;
  }
  return chosen;
}

function cut(document: SourceDocument, limit: number): SourceDocument[] {
  const pieces: string[] = [];
  let piece = '';
  for (const line of linesOf(document.text, limit)) {
    if (piece !== '' && piece.length + line.length > limit) {
      pieces.push(piece);
      piece = '';
    }
    piece += line;
  }
  pieces.push(piece);
  return pieces.map((text, k) => describe(`${document.name}#${k + 1}`, text, document.licence));
}

/** Lines with their ends; a line beyond `limit` characters comes in parts. */
function* linesOf(text: string, limit: number): Iterable<string> {
  for (let start = 0; start < text.length; ) {
    const lineEnd = text.indexOf('\n', start);
    let end = Math.min(lineEnd < 0 ? text.length : lineEnd + 1, start + limit);
    // A character of two code units stays whole.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    yield text.slice(start, end);
    start = end;
  }
}
