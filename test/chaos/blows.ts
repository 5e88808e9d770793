/** What befalls the members of a chaotic network: one blow at a time, chosen from a seed, each with its end. */
import { below, type Random } from '@folkmoot/core';

/** What a blow can do. */
export interface Reach {
  /** Ends the members' processes at once, as a power cut does, and starts them again after so long. */
  kill(names: readonly string[], downMs: number): void;
  /** Stops the processes without ending them, as a closed lid does, and lets them go on after so long. */
  pause(names: readonly string[], forMs: number): void;
  /** Nothing passes between the two sides for so long; one way where `oneWay`. */
  cut(side: readonly string[], forMs: number, oneWay: boolean): void;
  /** Everything to and from the members takes `meanMs`, with a heavy tail, for so long. */
  delay(names: readonly string[], meanMs: number, forMs: number): void;
}

export interface Blow {
  readonly kind: BlowKind;
  readonly victims: readonly string[];
  /** How long it lasts. */
  readonly forMs: number;
  readonly strike: (reach: Reach) => void;
}

type Make = (random: Random, victims: readonly string[]) => Omit<Blow, 'kind' | 'victims'>;

const seconds = (random: Random, from: number, to: number) => 1000 * (from + below(random, to - from + 1));

const MAKERS = {
  kill: (random, victims) => {
    const forMs = seconds(random, 1, 12);
    return { forMs, strike: (reach) => reach.kill(victims, forMs) };
  },
  pause: (random, victims) => {
    const forMs = seconds(random, 2, 15);
    return { forMs, strike: (reach) => reach.pause(victims, forMs) };
  },
  partition: (random, victims) => {
    const forMs = seconds(random, 5, 25);
    return { forMs, strike: (reach) => reach.cut(victims, forMs, false) };
  },
  'one-way': (random, victims) => {
    const forMs = seconds(random, 5, 20);
    return { forMs, strike: (reach) => reach.cut(victims, forMs, true) };
  },
  delay: (random, victims) => {
    const forMs = seconds(random, 5, 25);
    const meanMs = 50 + below(random, 450);
    return { forMs, strike: (reach) => reach.delay(victims, meanMs, forMs) };
  },
} as const satisfies Record<string, Make>;

export type BlowKind = keyof typeof MAKERS;

export const BLOWS = Object.keys(MAKERS) as BlowKind[];

/**
 * The next blow. At most `most` of `names` are hit at once: so few that the others are a quorum, and waiting for the victims
 * would be a fault of the protocol.
 */
export function nextBlow(random: Random, names: readonly string[], most: number, kinds: readonly BlowKind[]): Blow {
  const kind = kinds[below(random, kinds.length)]!;
  const count = 1 + below(random, most);
  const left = [...names];
  const victims = Array.from({ length: count }, () => left.splice(below(random, left.length), 1)[0]!).sort();
  return { kind, victims, ...(MAKERS[kind] as Make)(random, victims) };
}
