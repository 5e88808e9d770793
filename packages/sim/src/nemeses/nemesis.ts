/** What befalls a world: planned as plain data, so that a failing plan can be shrunk, printed and run again. */
import { below, type Random } from '@folkmoot/core';
import type { Conditions } from '../sim-link.ts';
import type { SimPerson, SimRun } from '../sim-run.ts';

/** One blow: which nemesis, when, for how long, whom. The rest are numbers whose meaning is the nemesis's own. */
export interface Blow {
  readonly nemesis: string;
  /** Virtual milliseconds after the start of the chaos. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** Indices of those whom it befalls; empty where it befalls the network. */
  readonly victims: readonly number[];
  /** How hard, in the nemesis's own unit. */
  readonly force: number;
}

export interface Nemesis {
  readonly about: string;
  /** Draws victims, length and force; `members` is how many there are. The creator is number 0. */
  plan(random: Random, members: number): Pick<Blow, 'lastsMs' | 'victims' | 'force'>;
  /** Strikes; returns what ends it (called after `lastsMs`, or at the end of the chaos), if it ends. */
  strike(world: Struck, blow: Blow): (() => void) | undefined;
}

/** The world as nemeses see it. */
export interface Struck {
  readonly run: SimRun;
  /** How the network is when nothing befalls it. */
  readonly weather: Conditions;
  /** Chance of this blow alone: taking another blow away does not change it. */
  readonly random: Random;
  /** The people whom the blow befalls, those who have come. */
  readonly victims: readonly SimPerson[];
  /** Kills a person's process, if there is one. */
  crash(person: SimPerson): void;
  /** Starts a person's process where there is none, again and again until it runs. */
  restart(person: SimPerson): void;
  /** Notes that a person’s disk has forgotten what it had signed, so that it may contradict itself. */
  forget(person: SimPerson): void;
  /** A new person comes. */
  join(): void;
}

export function between(random: Random, least: number, most: number): number {
  return least + below(random, most - least + 1);
}

/** One victim, perhaps the creator. */
export function anybody(random: Random, members: number): number[] {
  return [below(random, members)];
}

/** One victim that is not the creator; nobody where there is none. */
export function anybodyElse(random: Random, members: number): number[] {
  return members > 1 ? [between(random, 1, members - 1)] : [];
}

/** A part of the members, not all: at least one. */
export function some(random: Random, members: number): number[] {
  const chosen = Array.from({ length: members }, (_, i) => i).filter(() => below(random, 2) === 0);
  return chosen.length === 0 || chosen.length === members ? [below(random, members)] : chosen;
}
