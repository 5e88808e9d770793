/**
 * What the best timing of idleness can earn, by dynamic programming over all policies: for every number of clean audits
 * and of rounds at stake, work or idle, whichever is worth more in the long run.
 */

/** What a refusal costs beside the round. */
export type Cost =
  /** Every round that is locked. */
  | 'all locked'
  /** What was paid unaudited since the last clean audit. */
  | 'unaudited since the last clean audit'
  | 'nothing else';

export interface Policy {
  /** Lowest probability of an audit. */
  readonly floor: number;
  readonly vestingRounds: number;
  readonly cost: Cost;
  /** Probability that an audit of an idle round finds it. */
  readonly finds: number;
}

export interface Reply {
  /** Rounds of pay beyond the work, for each round, in the long run. */
  readonly profit: number;
  readonly idle: (clean: number, atStake: number) => boolean;
}

/** Value iteration until the gain of a round is known to 1e-6. Ties go to work. */
export function bestReply({ floor, vestingRounds, cost, finds }: Policy): Reply {
  const cleans = Math.ceil(1 / floor);
  const width = vestingRounds + 1;
  const at = (clean: number, stake: number) => Math.min(clean, cleans - 1) * width + Math.min(stake, vestingRounds);
  const chance = (clean: number) => Math.max(floor, 1 / (1 + clean));
  const choices = (values: Float64Array, clean: number, stake: number) => {
    const p = chance(clean);
    const later = cost === 'unaudited since the last clean audit' ? 0 : stake + 1;
    const works = p * values[at(clean + 1, later)]! + (1 - p) * values[at(clean, stake + 1)]!;
    const loses = cost === 'nothing else' ? 0 : stake;
    const found = p * finds;
    const passes = p * (1 - finds);
    const idles =
      found * (values[at(0, 0)]! - loses) +
      passes * (1 + values[at(clean + 1, later)]!) +
      (1 - p) * (1 + values[at(clean, stake + 1)]!);
    return { works, idles };
  };
  let values = new Float64Array(cleans * width);
  let gain = 0;
  for (let sweep = 0; sweep < 200_000; sweep++) {
    const next = new Float64Array(values.length);
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let clean = 0; clean < cleans; clean++)
      for (let stake = 0; stake <= vestingRounds; stake++) {
        const { works, idles } = choices(values, clean, stake);
        const i = at(clean, stake);
        next[i] = Math.max(works, idles);
        least = Math.min(least, next[i]! - values[i]!);
        most = Math.max(most, next[i]! - values[i]!);
      }
    const origin = next[0]!;
    values = next.map((value) => value - origin);
    gain = (least + most) / 2;
    if (most - least < 1e-6) break;
  }
  const idle = (clean: number, stake: number) => {
    const { works, idles } = choices(values, clean, stake);
    return idles > works + 1e-9;
  };
  return { profit: gain, idle };
}
