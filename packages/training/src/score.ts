/**
 * A score: the losses of named held-out rows under a named base, and everything that somebody else needs to measure
 * them again.
 *
 * Perplexity compares models with one tokenizer; bits per byte of text compares any, since bytes are what tokenizers
 * have in common.
 */
import { assert, type Hash, isHash } from '@folkmoot/core';
import { END_OF_TEXT_ID, type Tokenizer } from '@folkmoot/model';
import { sumInOrder } from './evaluate.ts';

/** What decides the figures. */
export interface ScoreSubject {
  readonly run: Hash;
  readonly base: Hash;
  /** The charter's evaluate program. */
  readonly program: Hash;
  /** Merkle root over the shards from which the rows are. */
  readonly holdoutRoot: Hash;
  readonly tokenizer: Hash;
  readonly engine: { readonly kind: string; readonly name: string };
  /** Which rows of the hold-out, in the order in which they were evaluated. */
  readonly rows: readonly number[];
}

export interface Score extends ScoreSubject {
  readonly format: 'folkmoot-score-1';
  /** Loss of each row, summed over its tokens, in nats: the program's own output, float32. */
  readonly nll: readonly number[];
  /** Sum of `nll`, in order, in double precision. */
  readonly nats: number;
  /** Targets in all rows. */
  readonly tokens: number;
  /** Bytes of text that these targets stand for; the end of a text is a token and no byte. */
  readonly bytes: number;
  /** e^(nats / tokens). */
  readonly perplexity: number;
  /** nats / bytes / ln 2. */
  readonly bitsPerByte: number;
}

/** A larger score names more rows than anybody evaluates. */
export const MAX_SCORE_ROWS = 2 ** 20;

/**
 * How far a row's loss may be from the same row's on another engine or processor, parts per million.
 *
 * Forward passes of `native` and `exact` differ by a few ppm; a training step more or less changes most rows by
 * thousands.
 */
export const SCORE_TOLERANCE_PPM = 200;

/** The score of `nll`, one finite loss for each row, over targets that stand for `bytes` bytes of text. */
export function scoreOf(subject: ScoreSubject, nll: Iterable<number>, tokens: number, bytes: number): Score {
  const losses = [...nll];
  assert(losses.length === subject.rows.length && losses.every(Number.isFinite), 'a finite loss for each row');
  return { format: 'folkmoot-score-1', ...subject, nll: losses, tokens, bytes, ...figures(losses, tokens, bytes) };
}

/** Bytes of text for which `tokens` stand. */
export function textBytes(tokenizer: Tokenizer, tokens: Iterable<number>): number {
  let bytes = 0;
  for (const token of tokens) if (token !== END_OF_TEXT_ID) bytes += tokenizer.bytesOf(token).length;
  return bytes;
}

export type ScoreFinding =
  | { readonly outcome: 'match' }
  /** Other bits, no farther apart than another processor or engine explains. */
  | { readonly outcome: 'within'; readonly distancePpm: number }
  | { readonly outcome: 'mismatch'; readonly reason: string; readonly distancePpm?: number };

/**
 * Compares what somebody claims with what came out here, of the same rows in the same order.
 *
 * Equal bits are asked for where both ran on `exact`; elsewhere each row may differ by `SCORE_TOLERANCE_PPM`.
 */
export function compareScores(claimed: Score, mine: Score): ScoreFinding {
  const other = SAME.find((name) => claimed[name] !== mine[name]);
  if (other) return mismatch(`${other} is ${claimed[other]}, not ${mine[other]}`);
  if (claimed.rows.join() !== mine.rows.join()) return mismatch('the rows are others');
  const { nats, perplexity, bitsPerByte } = figures(claimed.nll, claimed.tokens, claimed.bytes);
  if (claimed.nats !== nats || !isNear(claimed.perplexity, perplexity) || !isNear(claimed.bitsPerByte, bitsPerByte))
    return mismatch('its figures do not follow from its own rows');
  const apart = claimed.nll.map((loss, i) => (Math.abs(loss - mine.nll[i]!) / mine.nll[i]!) * 1e6);
  const distancePpm = apart.reduce((most, ppm) => Math.max(most, ppm), 0);
  if (distancePpm === 0) return { outcome: 'match' };
  const row = claimed.rows[apart.indexOf(distancePpm)];
  const bothExact = claimed.engine.kind === 'exact' && mine.engine.kind === 'exact';
  const allowed = bothExact ? 0 : SCORE_TOLERANCE_PPM;
  if (distancePpm <= allowed) return { outcome: 'within', distancePpm };
  return {
    ...mismatch(`row ${row} is ${Number(distancePpm.toPrecision(3))} ppm off; ${allowed} ppm are allowed`),
    distancePpm,
  };
}

/** A score from a stranger's JSON, with every part in range, or why it is none. */
export function readScore(value: unknown): { ok: true; value: Score } | { ok: false; reason: string } {
  if (!isObject(value) || value.format !== 'folkmoot-score-1') return refused('it is no folkmoot-score-1');
  const { run, base, program, holdoutRoot, tokenizer, engine, rows, nll, nats, tokens, bytes } = value;
  if (![run, base, program, holdoutRoot, tokenizer].every(isHash)) return refused('an id is no hash');
  if (!isObject(engine) || !isLabel(engine.kind) || !isLabel(engine.name)) return refused('the engine has no name');
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > MAX_SCORE_ROWS || !rows.every(isCount))
    return refused('rows are no list of row numbers');
  if (!Array.isArray(nll) || nll.length !== rows.length || !nll.every((loss) => Number.isFinite(loss) && loss > 0))
    return refused('there is no positive loss for each row');
  const { perplexity, bitsPerByte } = value;
  if (![nats, perplexity, bitsPerByte].every(Number.isFinite) || !isCount(tokens) || !isCount(bytes))
    return refused('a figure is no number');
  return { ok: true, value: value as unknown as Score };
}

/** What must be equal to the letter. */
const SAME = ['run', 'base', 'program', 'holdoutRoot', 'tokenizer', 'tokens', 'bytes'] as const;

function figures(nll: readonly number[], tokens: number, bytes: number) {
  const nats = sumInOrder(nll);
  return { nats, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / bytes / Math.LN2 };
}

/** An exponential's last bits are each machine's own. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.abs(b);
}

function mismatch(reason: string): { outcome: 'mismatch'; reason: string } {
  return { outcome: 'mismatch', reason };
}

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLabel(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 64;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
