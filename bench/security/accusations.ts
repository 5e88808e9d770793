/**
 * How often an honest trainer is accused: a million segments whose distances follow those measured between real engines.
 *
 * Below the fourth quintile the measured distances themselves are drawn; above it a Pareto tail, whose index is Hill's
 * estimate less two standard errors, so heavier than what was measured. The shape is that of the pair of engines that was
 * measured most often; the scale is raised to that of the pair that is furthest apart, by the ratio of their worst. All
 * auditors of a segment are taken to measure one distance, as machines of one kind do: no second opinion helps the trainer.
 */
import { type Hash, hashOf, SeededRandom } from '@folkmoot/core';
import { isGrave } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';
import { judge } from '@folkmoot/verify';

/** Share of the distances that is drawn from the tail. */
const TAIL = 0.2;
/** As large as a verdict can say. */
const MOST_PPB = 1e12;

export interface Distances {
  /** What was measured, parts per billion, ascending: of each segment the worst tensor. */
  readonly measured: readonly number[];
  /** Where the tail begins, parts per billion. */
  readonly from: number;
  /** Pareto: P(d > x) = TAIL · (from / x)^index. */
  readonly index: number;
}

/** Worst tensors of the segments, parts per billion, by pair of engines; a pair with equal bits has zeros only. */
export type Measured = Readonly<Record<string, readonly number[]>>;

/** Fits shape and scale; at least twenty segments of some pair with unequal bits. */
export function fitDistances(pairs: Measured): Distances {
  const unequal = Object.values(pairs).filter((list) => Math.max(...list) > 0);
  const most = unequal.reduce((a, b) => (b.length > a.length ? b : a));
  const scale = Math.max(...unequal.map((list) => Math.max(...list))) / Math.max(...most);
  const sorted = most.map((value) => value * scale).sort((a, b) => a - b);
  const beyond = Math.max(5, Math.floor(TAIL * sorted.length));
  const from = sorted[sorted.length - beyond - 1]!;
  const logs = sorted.slice(-beyond).map((value) => Math.log(value / from));
  const hill = beyond / logs.reduce((sum, value) => sum + value, 0);
  return { measured: sorted, from, index: hill * (1 - 2 / Math.sqrt(beyond)) };
}

/** Probability of a distance above `ppm`, by the fit. */
export function probabilityBeyond({ from, index }: Distances, ppm: number): number {
  return ppm * 1000 <= from ? 1 : TAIL * (from / (ppm * 1000)) ** index;
}

export interface Accusations {
  readonly segments: number;
  readonly within: number;
  /** Verdicts against the trainer, and those that a jury could convict on. */
  readonly accused: number;
  readonly grave: number;
  readonly worstPpm: number;
}

const CLAIMED = { params: hashOf('claimed'), moments: hashOf('claimed') };
const MINE = { params: hashOf('mine'), moments: hashOf('mine') };

/** Draws `segments` distances and lets the auditor's and the reducer's own rules judge each. */
export async function accuse(
  distances: Distances,
  charter: Charter,
  segments: number,
  seed: Hash | string,
): Promise<Accusations> {
  const random = new SeededRandom(hashOf('accusations', seed));
  const { tolerancePpm } = charter.engine;
  let [within, accused, grave, worstPpm] = [0, 0, 0, 0];
  for (let i = 0; i < segments; i++) {
    const distancePpm = Math.ceil(drawn(distances, random) / 1000);
    worstPpm = Math.max(worstPpm, distancePpm);
    const verdict = await judge({
      claimed: CLAIMED,
      mine: MINE,
      tolerancePpm,
      distance: async () => ({ distancePpm, tensor: 'drawn', first: 'drawn' }),
      encodes: async () => true,
    });
    if (verdict.outcome !== 'mismatch') within++;
    else accused++;
    if (isGrave(charter, verdict)) grave++;
  }
  return { segments, within, accused, grave, worstPpm };
}

/** One distance, parts per billion. */
function drawn({ measured, from, index }: Distances, random: SeededRandom): number {
  const unit = () => (random.uint32() + 0.5) / 2 ** 32;
  if (unit() < TAIL) return Math.min(MOST_PPB, from * unit() ** (-1 / index));
  const body = measured.length - Math.max(5, Math.floor(TAIL * measured.length));
  return measured[Math.floor(unit() * body)]!;
}
