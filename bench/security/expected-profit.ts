/** What a strategy earns beyond its work on average: the closed formula of each round, summed over how its standing moves. */

export interface Scheme {
  /** Whether it cheats after `clean` clean audits with `stake` rounds of pay locked. */
  readonly cheats: (clean: number, stake: number) => boolean;
  /** Share of a round's work that it saves by it. */
  readonly saves: number;
  /** Probability that an audit of such a round finds it. */
  readonly found: number;
}

export interface Rules {
  readonly floor: number;
  readonly vestingRounds: number;
}

/**
 * Rounds of pay beyond the work in `rounds` rounds, from a newcomer's standing on. What is locked in the end is its own.
 *
 * A cheated round that is not found earns what it saves; one that is found costs the work that was done in it, and
 * everything that is locked. An audit comes with p = max(floor, 1/(1 + clean)).
 */
export function expectedProfit(
  { cheats, saves, found }: Scheme,
  { floor, vestingRounds }: Rules,
  rounds: number,
): number {
  const most = Math.ceil(1 / floor) - 1;
  let standing = new Map<string, number>([['0 0', 1]]);
  let profit = 0;
  for (let round = 0; round < rounds; round++) {
    const next = new Map<string, number>();
    const give = (clean: number, stake: number, share: number) => {
      const key = `${Math.min(clean, most)} ${Math.min(stake, vestingRounds)}`;
      if (share > 0) next.set(key, (next.get(key) ?? 0) + share);
    };
    for (const [key, share] of standing) {
      const [clean, stake] = key.split(' ').map(Number) as [number, number];
      const p = Math.max(floor, 1 / (1 + clean));
      const isCheating = cheats(clean, stake);
      const caught = isCheating ? p * found : 0;
      if (isCheating) profit += share * ((1 - caught) * saves - caught * (1 - saves + stake));
      give(0, 0, share * caught);
      give(clean + 1, stake + 1, share * (p - caught));
      give(clean, stake + 1, share * (1 - p));
    }
    standing = next;
  }
  return profit;
}
