/** `docs/results/learning.md`, written anew from the raw results: one table for each experiment, and its bands. */
import { bitsPerParameter, PUBLISHED_TIMES, timesFewer } from './accounting.ts';
import type { Arm } from './arm.ts';
import { sparse } from './build-arms.ts';
import { type Experiment, finalLoss, type Row } from './experiment.ts';
import { resultsOf } from './results.ts';
import type { Result } from './run-arm.ts';
import { LAYOUT, MODEL } from './text.ts';

/** The page. `preamble`: what a person says about it, in front; `plots`: links in Markdown. */
export function report(
  experiments: readonly Experiment[],
  results: readonly Result[],
  plots: readonly { readonly title: string; readonly file: string }[],
): string {
  return [
    '# Learning',
    '',
    method(results),
    ...plots.flatMap(({ title, file }) => [`![${title}](${file})`, '']),
    ...experiments.flatMap((experiment) => [...section(experiment, results), '']),
    ...accounting(),
    '',
  ].join('\n');
}

function method(results: readonly Result[]): string {
  const seconds = results.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const texts = new Set(results.map(({ text }) => text.slice(0, 12)));
  return `Written by \`./folkmoot bench learn --report\` from [the raw results](learning/raw.jsonl): ${results.length} runs, ${Math.round(seconds / 60)} minutes
of processor time. What it means is in [what we learned](learning/findings.md).

A byte-level decoder of ${LAYOUT.elements.toLocaleString('en-US')} parameters (width ${MODEL.hidden}, ${MODEL.layers} layers, context ${MODEL.context}) on documentation and source of the installed
dependencies (manifest ${[...texts].join(', ')}). 1,024 tokens a step for all members together, 30 steps a round unless a line says
otherwise; 100 rounds are 3.07M tokens, less than one pass over the text. Half a cosine down to 5 % of the rate over the whole run,
warm-up 100 steps or a tenth. Hold-out loss in nats per byte after the last round, on 32,768 bytes of documents that nobody trains
on. Trainers run \`LocalRound\`, updates go through the codec's bytes and the aggregator of a run; only the network is left out.
"times fewer": bytes that one member offers, against a float32 gradient in every step; codebooks are not counted (they are 0.2 % of
an update of \`medium\`, and an eighth here).
`;
}

function section({ id, title, rows, bands }: Experiment, results: readonly Result[]): string[] {
  const seeds = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b);
  return [
    `## ${id}: ${title}`,
    '',
    `| | ${seeds.map((seed) => `seed ${seed}`).join(' | ')} | mean | against | times fewer | CPU s |`,
    `|---|${seeds.map(() => '---|').join('')}---|---|---|---|`,
    ...rows.map((row) => line(row, rows, seeds, results)),
    '',
    ...bands.map(({ text, holds }) => {
      const outcomes = seeds
        .map((seed) => holds((arm) => resultsOf(results, arm).find((result) => result.seed === seed)))
        .filter((outcome) => outcome !== undefined);
      return `- ${verdict(outcomes)} ${text}${outcomes.length === 0 ? '' : ` (${outcomes.filter(Boolean).length} of ${outcomes.length} seeds)`}`;
    }),
  ];
}

/** A band holds where it does for two seeds of three. */
function verdict(outcomes: readonly boolean[]): string {
  if (outcomes.length === 0) return '**not run:**';
  return outcomes.filter(Boolean).length * 3 >= outcomes.length * 2 ? '**holds:**' : '**missed:**';
}

function line(
  { label, arm, against }: Row,
  rows: readonly Row[],
  seeds: readonly number[],
  results: readonly Result[],
): string {
  const own = resultsOf(results, arm);
  const losses = seeds.map((seed) => own.find((result) => result.seed === seed));
  const cells = losses.map((result) => (result ? loss(finalLoss(result)) : ''));
  const finals = own.map(finalLoss);
  const times = timesFewer(arm);
  const seconds = own.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / Math.max(1, own.length);
  const extra = own.some(({ honestDropped }) => honestDropped > 0)
    ? ` (honest updates dropped: ${own.map(({ honestDropped }) => honestDropped).join(', ')})`
    : '';
  const share = own.flatMap(({ meanNormShare }) => meanNormShare ?? []);
  const norms =
    share.length > 0
      ? ` (mean/RDA norm ${mean(share).toFixed(2)}, 1/√M ${(1 / Math.sqrt(arm.members)).toFixed(2)})`
      : '';
  return `| ${label}${extra}${norms} | ${cells.join(' | ')} | ${finals.length === 0 ? '' : spread(finals)} | ${difference(own, against, rows, results)} | ${
    times === 1 ? '' : Math.round(times).toLocaleString('en-US')
  } | ${own.length === 0 ? '' : Math.round(seconds)} |`;
}

/** Mean difference of the seeds that both have, in percent, and what it is taken against. */
function difference(
  own: readonly Result[],
  against: Arm | undefined,
  rows: readonly Row[],
  results: readonly Result[],
): string {
  if (!against) return '';
  const others = resultsOf(results, against);
  const ratios = own.flatMap((result) => {
    const other = others.find(({ seed }) => seed === result.seed);
    return other ? [finalLoss(result) / finalLoss(other) - 1] : [];
  });
  if (ratios.length === 0) return '';
  const percent = 100 * mean(ratios);
  const name = rows.find(({ arm }) => arm.id === against.id)?.label ?? against.id;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} % (${name})`;
}

function accounting(): string[] {
  const bits = bitsPerParameter(sparse(64));
  return [
    '## Bytes',
    '',
    '| codec | bits per parameter | times fewer than float32, one exchange | at H = 30, than float32 in every step |',
    '|---|---|---|---|',
    `| SparseLoCo as published, 64 of 4096, 12-bit places | ${((64 * 14) / 4096).toFixed(5)} | 146 | ${Math.round(PUBLISHED_TIMES).toLocaleString('en-US')} |`,
    ...[128, 64, 48, 38, 32].map((keep) => {
      const each = bitsPerParameter(sparse(keep));
      return `| sparse, ${keep} of 4096, places as one rank | ${each.toFixed(5)} | ${Math.round(32 / each)} | ${Math.round((32 / each) * 30).toLocaleString('en-US')} |`;
    }),
    '| dense, 8 bits | 8.00000 | 4 | 120 |',
    '',
    `Ranks take ${(bits / ((64 * 14) / 4096)).toFixed(2)} of the published bytes and lose nothing: an update decodes to the same entries. Codebooks add 16 bytes for each tensor.`,
  ];
}

function spread(values: readonly number[]): string {
  if (values.length === 1 || !values.every(Number.isFinite)) return loss(mean(values));
  const center = mean(values);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
  return `${loss(center)} ± ${deviation.toFixed(3)}`;
}

const loss = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : 'diverged');

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
