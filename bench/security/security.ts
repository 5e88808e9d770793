/**
 * What lying pays: every strategy's profit on the real reducer beside the formula, how often false rounds are found, the
 * best that any timing can do, and how often an honest trainer is accused. Writes the tables of `docs/security.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { engineRules } from '@folkmoot/node';
import { CALIBRATION } from '@folkmoot/verify';
import type { BenchOptions, Figure } from '../bench.ts';
import { type Accusations, accuse, type Distances, fitDistances, probabilityBeyond } from './accusations.ts';
import { bestReply, type Cost } from './best-reply.ts';
import { bothFriends, type Frequency, historiesFound, roundsFound } from './detection.ts';
import { type Mean, meanOf, shareOf } from './intervals.ts';
import { play, policy, SEGMENTS, type Tally } from './profit.ts';
import { STRATEGIES, type Strategy } from './strategies.ts';
import { row, withTable } from './tables.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/security.md', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../../docs/results/calibration.json', import.meta.url));
/** The floor is reached after some 190 rounds: who waits for it is watched longer. */
const [SHORT, LONG] = [100, 500];
const MILLION = 1_000_000;

export async function* run(signal: AbortSignal, { seeds = 4 }: BenchOptions = {}): AsyncIterable<Figure> {
  const tables = new Tables();
  for (const strategy of STRATEGIES) {
    const tallies: Tally[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      signal.throwIfAborted();
      tallies.push(play(strategy, seed, strategy.patient ? LONG : SHORT));
      await new Promise(setImmediate);
    }
    yield tables.profit(strategy, tallies);
  }
  for (const [ppm, faked] of [
    [MILLION, 1],
    [MILLION, SEGMENTS],
    [250_000, 1],
    [250_000, SEGMENTS],
    [50_000, 1],
    [50_000, SEGMENTS],
  ] as const) {
    signal.throwIfAborted();
    yield tables.found(
      `one round, p = ${ppm / MILLION}, ${faked} of ${SEGMENTS} segments`,
      roundsFound(ppm, faked, 300),
    );
  }
  for (const [faked, rounds] of [
    [1, 20],
    [SEGMENTS, 20],
    [1, 90],
    [SEGMENTS, 90],
  ] as const)
    yield tables.found(
      `${rounds} rounds, p = 0.05, ${faked} of ${SEGMENTS} segments`,
      historiesFound(50_000, faked, rounds, 4000),
    );
  for (const [members, friends] of [
    [5, 1],
    [5, 2],
    [9, 2],
    [100, 32],
  ] as const)
    yield tables.found(
      `both auditors among ${friends} friends of ${members} members`,
      bothFriends(members, friends, 20_000),
    );
  for (const cost of ['all locked', 'unaudited since the last clean audit', 'nothing else'] as const)
    for (const finds of [1, 27 / 28, 8 / 9]) yield tables.reply(cost, finds);
  yield* tables.accusations(await accusations(signal));
  writeFileSync(DOCUMENT, tables.into(readFileSync(DOCUMENT, 'utf8')));
}

interface Outcome {
  readonly fit: Distances;
  readonly result: Accusations;
  readonly tolerancePpm: number;
  readonly samples: number;
}

async function accusations(signal: AbortSignal): Promise<Outcome> {
  const { segments } = JSON.parse(readFileSync(SAMPLES, 'utf8')) as { segments: Record<string, number[][]> };
  const pairs = Object.fromEntries(
    Object.entries(segments).map(([pair, list]) => [pair, list.map((tensors) => Math.max(...tensors))]),
  );
  const fit = fitDistances(pairs);
  const charter = { ...policy(), engine: engineRules('native') };
  signal.throwIfAborted();
  const result = await accuse(fit, charter, MILLION, 'a million segments');
  return { fit, result, tolerancePpm: CALIBRATION.tolerance.segmentPpm, samples: fit.measured.length };
}

/** The rows of the tables, and the same as figures. */
class Tables {
  readonly #profits: string[] = [];
  readonly #found: string[] = [];
  readonly #replies: string[] = [];
  readonly #accusations: string[] = [];

  profit(strategy: Strategy, tallies: readonly Tally[]): Figure {
    const rounds = sum(tallies, (tally) => tally.rounds);
    const profit: Mean = meanOf(
      tallies.map((tally) => (100 * (tally.paid - tally.worked)) / Math.max(1, tally.rounds)),
    );
    const honest = sum(tallies, ({ honest: others }) => others.refused + others.forfeited);
    const share = (of: (tally: Tally) => number) => ((100 * sum(tallies, of)) / Math.max(1, rounds)).toFixed(1);
    this.#profits.push(
      row(
        strategy.name,
        strategy.stands,
        `${strategy.players} of ${strategy.members}`,
        rounds.toLocaleString('en-US'),
        share(({ worked }) => worked),
        share(({ paid }) => paid),
        share(({ lost }) => lost),
        `${profit.mean.toFixed(1)} ± ${profit.margin.toFixed(1)}`,
        String(honest),
      ),
    );
    return {
      name: strategy.name,
      value: profit.mean,
      unit: 'rounds of pay per 100',
      note: `± ${profit.margin.toFixed(1)}`,
    };
  }

  found(name: string, { found, of, expected }: Frequency): Figure {
    const { low, high } = shareOf(found, of);
    this.#found.push(
      row(
        name,
        percent(expected),
        percent(found / of),
        `${percent(low)} to ${percent(high)}`,
        of.toLocaleString('en-US'),
      ),
    );
    return { name, value: (100 * found) / of, unit: '%', note: `formula ${percent(expected)}` };
  }

  reply(cost: Cost, finds: number): Figure {
    const { profit } = bestReply({ floor: 0.05, vestingRounds: 20, cost, finds });
    this.#replies.push(row(cost, finds.toFixed(3), (100 * profit).toFixed(1)));
    return {
      name: `best timing, a refusal costs ${cost}`,
      value: 100 * profit,
      unit: 'rounds of pay per 100',
      note: `audits find ${finds.toFixed(3)}`,
    };
  }

  *accusations({ fit, result, tolerancePpm, samples }: Outcome): Generator<Figure> {
    const worst = fit.measured.at(-1)! / 1000;
    this.#accusations.push(
      row('segments whose distances the fit rests on', String(samples)),
      row('worst measured, at the scale of the furthest pair', `${worst.toFixed(1)} ppm`),
      row('tolerance; grave from', `${tolerancePpm} ppm; ${100 * tolerancePpm} ppm`),
      row('margin of the tolerance over the worst', `${(tolerancePpm / worst).toFixed(1)}`),
      row('index of the tail', fit.index.toFixed(2)),
      row('segments drawn', result.segments.toLocaleString('en-US')),
      row('furthest that was drawn', `${result.worstPpm} ppm`),
      row('accused', String(result.accused)),
      row('accused of something grave', String(result.grave)),
      row('probability of an accusation: upper bound of the draws (95 %)', bound(result.accused, result.segments)),
      row('the same by the fit', probabilityBeyond(fit, tolerancePpm).toExponential(1)),
      row('probability of a grave finding by the fit', probabilityBeyond(fit, 100 * tolerancePpm).toExponential(1)),
    );
    yield { name: 'a million honest segments: accused', value: result.accused, unit: 'segments' };
    yield { name: 'accused of something grave', value: result.grave, unit: 'segments' };
    yield { name: 'tolerance over the worst measured', value: tolerancePpm / worst, unit: 'times' };
  }

  into(text: string): string {
    let document = withTable(text, 'profit', this.#profits);
    document = withTable(document, 'detection', this.#found);
    document = withTable(document, 'timing', this.#replies);
    return withTable(document, 'accusations', this.#accusations);
  }
}

/** Rule of three where nothing was found; else the upper end of the interval. */
function bound(found: number, of: number): string {
  return (found === 0 ? 3 / of : shareOf(found, of).high).toExponential(1);
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
