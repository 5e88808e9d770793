/** A world as plain data: who is there, what the weather is like, what befalls whom and when. Drawn from a seed. */
import { below, type Random, SeededRandom } from '@folkmoot/core';
import { type Blow, NEMESES, type NemesisName } from '../nemeses/index.ts';
import { between } from '../nemeses/nemesis.ts';
import type { Conditions } from '../sim-link.ts';
import { isSequencer } from './cast.ts';

/** One of those who are there from the start. The first is the creator. */
export interface PlannedMember {
  readonly name: string;
  /** A name in the table of adversaries; absent for an honest member. */
  readonly adversary?: string;
}

/** What differs from world to world in the charter. */
export interface Rules {
  /** The bit-exact engine, on which a mismatch forfeits. */
  readonly exact: boolean;
  /** Rounds start along the last change of the base. */
  readonly momentum: boolean;
  /** Fewer witnesses are drawn than there are members. */
  readonly fewWitnesses: boolean;
  /** Trainers show signs of life, and others stand by for their seats. */
  readonly leases: boolean;
  /** The role of the sequencer goes on every few rounds. */
  readonly rotates: boolean;
}

export interface Plan {
  readonly seed: string;
  readonly members: readonly PlannedMember[];
  readonly rules: Rules;
  /** Training is in earnest. */
  readonly real?: true;
  /** Conditions of the network while nothing befalls it. */
  readonly weather: Partial<Conditions>;
  readonly blows: readonly Blow[];
  /** Length of the chaos, virtual milliseconds. */
  readonly chaosMs: number;
  /** Rounds that must end after the world has healed. */
  readonly rounds: number;
}

/** What a person, or a test, may fix of a plan; the rest is drawn. */
export interface Wishes {
  readonly members?: number;
  readonly rounds?: number;
  readonly minutes?: number;
  /** Nothing befalls anybody. */
  readonly calm?: boolean;
  readonly nemeses?: readonly NemesisName[];
  readonly real?: boolean;
  readonly loss?: number;
  readonly delayMs?: number;
  /** Part of the members, in [0, 1), that each adversary makes up. `undefined`: drawn; empty: none. */
  readonly adversaries?: Readonly<Record<string, number>>;
}

const NAMES = 'ana ben cleo dina emil fay gus hana ivo juno kai lena milo nora otto pia quin rosa sami tess'.split(' ');
const WEATHERS: readonly Partial<Conditions>[] = [
  {},
  { loss: 0.005 },
  { delayMs: { min: 20, max: 1000 } },
  { delayMs: { min: 5, max: 150 }, tail: 0.2 },
];
const CHAOS_MS = 45_000;
/** Of worlds without another adversary, one in so many. */
const CENSORED = 8;
const CENSOR = 'censor';
const ROUNDS = 3;
/** Time for a sequencer to be found out that began to leave out when the world had healed, and for who was left out to be credited. */
const CENSORED_ROUNDS = 5;

/** Draws a plan. `adversaries`: names from which the draw may choose. */
export function drawPlan(seed: string, wishes: Wishes, adversaries: readonly string[]): Plan {
  const random = new SeededRandom(`plan ${seed}`);
  const honest = wishes.members ?? between(random, 3, 5);
  const cast = withCreator(seed, castOf(random, honest, wishes, adversaries), wishes, adversaries);
  const chaosMs = wishes.minutes === undefined ? CHAOS_MS : Math.round(wishes.minutes * 60_000);
  const rules = {
    exact: below(random, 3) === 0,
    momentum: below(random, 3) === 0,
    fewWitnesses: below(random, 2) === 0,
    leases: below(random, 3) === 0,
    rotates: below(random, 4) === 0,
  };
  return {
    seed,
    rules,
    ...(wishes.real && { real: true }),
    members: cast.map((adversary, i) => ({ name: nameOf(i), ...(adversary && { adversary }) })),
    weather: weatherOf(random, wishes),
    blows: wishes.calm ? [] : drawBlows(random, cast.length, chaosMs, wishes.nemeses),
    chaosMs,
    rounds: wishes.rounds ?? (cast[0] === CENSOR ? CENSORED_ROUNDS : ROUNDS),
  };
}

/** What a plan has in it, in one line: rules, adversaries, blows with their victims. */
export function sceneOf({ rules, members, blows }: Plan): string {
  const holding = Object.entries(rules).flatMap(([rule, holds]) => (holds ? [rule] : []));
  const liars = members.flatMap(({ adversary }) => adversary ?? []);
  const struck = blows.map(({ nemesis, victims }) => `${nemesis}:${victims.join(',')}`);
  return [...holding, ...liars, ...struck].join(' ');
}

export function nameOf(index: number): string {
  const name = NAMES[index % NAMES.length]!;
  return index < NAMES.length ? name : `${name}${Math.floor(index / NAMES.length) + 1}`;
}

/** Honest members, then adversaries; half of all worlds have one, unless somebody wishes for more. */
function castOf(
  random: Random,
  count: number,
  { adversaries: wished, members }: Wishes,
  known: readonly string[],
): (string | undefined)[] {
  const honest = (n: number) => Array.from({ length: n }, () => undefined);
  if (wished) {
    const liars = Object.entries(wished).flatMap(([name, part]) =>
      Array.from({ length: Math.max(1, Math.round(part * count)) }, () => name),
    );
    const first = liars.find(isSequencer);
    const others = liars.filter((name) => !isSequencer(name));
    return [first, ...honest(Math.max(0, count - 1 - others.length)), ...others];
  }
  if (known.length === 0 || below(random, 2) === 0) return honest(count);
  // Two auditors must be left to convict it when one of them is away.
  return [...honest(members === undefined ? Math.max(4, count) : count), known[below(random, known.length)]];
}

/** In some worlds in which all would be honest, one that leaves records out founds the run: drawn apart, so that the others stay. */
function withCreator(
  seed: string,
  cast: (string | undefined)[],
  { adversaries: wished }: Wishes,
  known: readonly string[],
) {
  const isHonest = cast.every((adversary) => adversary === undefined);
  if (wished || known.length === 0 || !isHonest) return cast;
  return below(new SeededRandom(`creator ${seed}`), CENSORED) === 0 ? [CENSOR, ...cast] : cast;
}

function weatherOf(random: Random, { loss, delayMs }: Wishes): Partial<Conditions> {
  const drawn = WEATHERS[below(random, WEATHERS.length)]!;
  if (loss === undefined && delayMs === undefined) return drawn;
  return {
    loss: loss ?? 0,
    delayMs: delayMs === undefined ? { min: 5, max: 40 } : { min: delayMs >> 3, max: Math.max(1, delayMs) },
  };
}

function drawBlows(random: Random, members: number, chaosMs: number, names?: readonly NemesisName[]): Blow[] {
  const known = names ?? (Object.keys(NEMESES) as NemesisName[]);
  const count = Math.max(3, Math.round((between(random, 3, 6) * chaosMs) / CHAOS_MS));
  const blows = Array.from({ length: count }, () => {
    const nemesis = known[below(random, known.length)]!;
    return { nemesis, atMs: below(random, chaosMs), ...NEMESES[nemesis].plan(random, members) };
  });
  return blows.sort((a, b) => a.atMs - b.atMs);
}
