/** `evaluate` in full: measures a base, or measures again what somebody claims. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { type Hash, shortId, WorldError } from '@folkmoot/core';
import type { Charter } from '@folkmoot/records';
import type { EngineKind } from '@folkmoot/tensor';
import { compareScores, readScore, type Score, type ScoreFinding } from '@folkmoot/training';
import type { EvaluateOptions } from '../commands/evaluate.ts';
import type { Invocation } from '../invocation.ts';
import { parseCount } from '../run/take-part.ts';
import { formatCount, formatLoss } from '../ui/format.ts';
import { oneLine } from '../ui/width.ts';
import { measure, spreadRows } from './measure.ts';
import { type OpenRun, openRun } from './open-run.ts';
import { openBench } from './replay-bench.ts';
import { chooseBase, loadParts } from './run-generate.ts';
import { RunStore } from './run-store.ts';
import { Story } from './story.ts';

/** The claim does not hold. */
const EXIT_MISMATCH = 3;
/** Seconds for `small`, and a standard error below one percent. */
const DEFAULT_TOKENS = 65_536;
const MAX_FILE_BYTES = 2 ** 26;

export async function runEvaluate(call: Invocation, options: EvaluateOptions): Promise<void> {
  if (options.check !== undefined) return check(call, options.check, options.engine);
  const run = await openRun(call.home, options.run);
  const base = chooseBase(await Story.read(run), options);
  const { holdoutRows } = run.charter.dataset;
  const asked =
    options.rows === undefined
      ? Math.max(1, Math.floor(DEFAULT_TOKENS / run.charter.model.context))
      : parseCount('--rows', options.rows);
  const score = await measureHere(call, run, base, spreadRows(holdoutRows, asked), options.engine);
  if (options.to !== undefined) await writeScore(options.to, score);
  call.object(score);
  tellScore(call, score, holdoutRows);
  if (options.to !== undefined)
    call.say(`written to ${options.to}; it is checked with: folkmoot evaluate --check ${options.to}`);
}

async function check(call: Invocation, path: string, engine: EngineKind | undefined): Promise<void> {
  const claimed = await scoreIn(path);
  const run = await openRun(call.home, claimed.run);
  const unlike = wrongSubject(claimed, run.charter);
  if (unlike !== undefined) return tellFinding(call, claimed, undefined, { outcome: 'mismatch', reason: unlike });
  const base = chooseBase(await Story.read(run), { base: claimed.base });
  // Equal bits need the same engine; a GPU's are its own, so whatever is here will do.
  const kind = engine ?? (['native', 'exact'] as const).find((one) => one === claimed.engine.kind);
  const mine = await measureHere(call, run, base, claimed.rows, kind);
  tellFinding(call, claimed, mine, compareScores(claimed, mine));
}

/** Why the score cannot be one of this run, before anything is computed. */
function wrongSubject(claimed: Score, charter: Charter): string | undefined {
  if (claimed.program !== charter.programs.evaluate) return 'its program is not the one that the charter names';
  if (claimed.holdoutRoot !== charter.dataset.holdoutRoot) return 'its hold-out is not the one that the charter names';
  const beyond = claimed.rows.find((row) => row >= charter.dataset.holdoutRows);
  return beyond === undefined ? undefined : `the hold-out has no row ${beyond}`;
}

async function measureHere(
  call: Invocation,
  run: OpenRun,
  base: Hash,
  rows: readonly number[],
  kind: EngineKind | undefined,
): Promise<Score> {
  const store = await RunStore.open(run, call);
  try {
    const parts = await loadParts(store, run.charter, base);
    const bench = await openBench(run, store, kind);
    try {
      call.note(`evaluating base ${shortId(base)} on ${formatCount(rows.length)} held-out rows …`);
      return await measure(bench, { ...parts, base, rows }, call.note, call.stopSignal());
    } finally {
      await bench.close();
    }
  } finally {
    await store.close();
  }
}

function tellScore(call: Invocation, score: Score, holdoutRows: number): void {
  const { rows, tokens, bytes, nats, perplexity, bitsPerByte, engine } = score;
  call.say(`base ${score.base} of run ${shortId(score.run)}`);
  call.say(
    `  on ${formatCount(rows.length)} of ${formatCount(holdoutRows)} held-out rows: ${formatCount(tokens)} tokens, ${formatCount(bytes)} bytes of text`,
  );
  call.say(`  loss           ${formatLoss(nats / tokens)} nats per token`);
  call.say(`  perplexity     ${perplexity.toPrecision(5)} per token`);
  call.say(`  bits per byte  ${bitsPerByte.toFixed(4)}`);
  call.say(`  engine         ${oneLine(engine.name)}`);
}

function tellFinding(call: Invocation, claimed: Score, mine: Score | undefined, finding: ScoreFinding): void {
  const figuresOf = ({ nats, perplexity, bitsPerByte, engine }: Score) => ({ nats, perplexity, bitsPerByte, engine });
  const { run, base, rows } = claimed;
  const summary = { run, base, rows: rows.length, claimed: figuresOf(claimed), mine: mine && figuresOf(mine) };
  call.object({ ...summary, ...finding });
  call.say(`base ${base} of run ${shortId(run)} on ${formatCount(rows.length)} held-out rows`);
  for (const [name, score] of [['claimed', claimed] as const, ['here', mine] as const])
    if (score)
      call.say(
        `  ${name.padEnd(8)} ${score.nats.toPrecision(9)} nats, ${score.bitsPerByte.toFixed(4)} bits per byte on ${oneLine(score.engine.name)}`,
      );
  if (finding.outcome === 'match') call.say('match: the same bits in every row');
  else if (finding.outcome === 'within')
    call.say(
      `within tolerance: other bits, as another processor or engine gives; at most ${Number(finding.distancePpm.toPrecision(2))} ppm in a row`,
    );
  else {
    call.say(`mismatch: ${oneLine(finding.reason)}`);
    process.exitCode = EXIT_MISMATCH;
  }
}

async function writeScore(path: string, score: Score): Promise<void> {
  await writeFile(path, `${JSON.stringify(score)}\n`).catch((cause: Error) => {
    throw new WorldError('file-unwritable', 'The score cannot be written there.', {
      facts: { file: path, found: cause.message },
      help: 'Give another file with --to.',
      cause,
    });
  });
}

async function scoreIn(path: string): Promise<Score> {
  let reason = `it is larger than ${MAX_FILE_BYTES} bytes`;
  try {
    if ((await stat(path)).size <= MAX_FILE_BYTES) {
      const read = readScore(JSON.parse(await readFile(path, 'utf8')));
      if (read.ok) return read.value;
      reason = read.reason;
    }
  } catch (error) {
    reason = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
  }
  throw new WorldError('score-unreadable', 'This is no score that can be checked.', {
    facts: { file: path, reason },
    help: 'Give a file that "folkmoot evaluate --to FILE" wrote.',
  });
}
