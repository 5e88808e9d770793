/**
 * What lying pays: every strategy's profit on the real reducer beside the formula, how often false rounds are found, the
 * best that any timing can do, and how often an honest trainer is accused. Writes the tables of `docs/security.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { engineRules } from '@folkmoot/node';
import { CALIBRATION } from '@folkmoot/verify';
import { type BenchOptions, type Figure, partsOf } from '../bench.ts';
import {
  type Accusations,
  accuse,
  type Distances,
  fitDistances,
  type Measured,
  probabilityBeyond,
} from './accusations.ts';
import { bestReply, type Cost } from './best-reply.ts';
import { bothFriends, type Frequency, historiesFound, roundsFound } from './detection.ts';
import { expectedProfit } from './expected-profit.ts';
import { type Mean, meanOf, shareOf } from './intervals.ts';
import { play, policy, SEGMENTS, type Tally } from './profit.ts';
import { STRATEGIES, type Strategy, schemeOf } from './strategies.ts';
import { row, withTable } from './tables.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/security.md', import.meta.url));
const DISTANCES = fileURLToPath(new URL('../../docs/results/distances.json', import.meta.url));
/** The floor is reached after some 190 rounds: who waits for it is watched longer. */
const [SHORT, LONG] = [100, 500];
const MILLION = 1_000_000;

export async function* run(signal: AbortSignal, { seeds = 4, only }: BenchOptions = {}): AsyncIterable<Figure> {
  const tables = new Tables();
  const parts = partsOf(only, ['profit', 'detection', 'timing', 'accusations']);
  const wants = (part: string) => parts.includes(part);
  if (wants('profit')) yield* profits(tables, seeds, signal);
  if (wants('detection')) yield* detections(tables, signal);
  if (wants('timing')) yield* timings(tables);
  if (wants('accusations')) yield* tables.accusations(await accusations(signal));
  writeFileSync(DOCUMENT, tables.into(readFileSync(DOCUMENT, 'utf8')));
}

async function* profits(tables: Tables, seeds: number, signal: AbortSignal): AsyncIterable<Figure> {
  for (const strategy of STRATEGIES) {
    const rounds = strategy.patient ? LONG : SHORT;
    const tallies: Tally[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      signal.throwIfAborted();
      tallies.push(play(strategy, seed, rounds));
      // So that Ctrl+C is heard.
      await new Promise(setImmediate);
    }
    yield tables.profit(strategy, tallies, rounds);
  }
}

function* detections(tables: Tables, signal: AbortSignal): Iterable<Figure> {
  for (const ppm of [MILLION, 250_000, 50_000])
    for (const faked of [1, SEGMENTS]) {
      signal.throwIfAborted();
      yield tables.found(
        `one round, p = ${ppm / MILLION}, ${faked} of ${SEGMENTS} segments`,
        roundsFound(ppm, faked, 600),
      );
    }
  for (const rounds of [20, 90])
    for (const faked of [1, SEGMENTS])
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
}

function* timings(tables: Tables): Iterable<Figure> {
  for (const cost of ['all locked', 'unaudited since the last clean audit', 'nothing else'] as const)
    for (const finds of [1, 27 / 28, 8 / 9]) yield tables.reply(cost, finds);
}

interface Outcome {
  readonly fit: Distances;
  readonly result: Accusations;
  readonly tolerancePpm: number;
  readonly samples: number;
}

async function accusations(signal: AbortSignal): Promise<Outcome> {
  const { pairs } = JSON.parse(readFileSync(DISTANCES, 'utf8')) as { pairs: Measured };
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

  profit(strategy: Strategy, tallies: readonly Tally[], length: number): Figure {
    const rounds = sum(tallies, (tally) => tally.rounds);
    const profit: Mean = meanOf(
      tallies.map((tally) => (100 * (tally.paid - tally.worked)) / Math.max(1, tally.rounds)),
    );
    const honest = sum(tallies, ({ honest: others }) => others.refused + others.forfeited);
    const scheme = schemeOf(strategy, SEGMENTS);
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
        scheme ? ((100 * expectedProfit(scheme, { floor: 0.05, vestingRounds: 20 }, length)) / length).toFixed(1) : '',
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

  /** Tables of parts that were not measured stay as they are. */
  into(text: string): string {
    const measured = {
      profit: this.#profits,
      detection: this.#found,
      timing: this.#replies,
      accusations: this.#accusations,
    };
    return Object.entries(measured).reduce(
      (document, [name, rows]) => (rows.length > 0 ? withTable(document, name, rows) : document),
      text,
    );
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
