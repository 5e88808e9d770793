/**
 * Help: does an update lower the loss on the rows that its trainer was given more than on others?
 *
 * After a round each witness measures one update, drawn by the audit seed; the median over those who measured it, as a
 * part of the round's median, goes into the trainer's standing and fades. Who helps much less than the others do is
 * audited more often. Nobody is refused for it and nobody is paid: it is a claim, and noisy.
 */
import { type DeviceId, type Hash, hashOf } from '@folkmoot/core';
import { MAX_HELP, type RecordOf, type VerifiedRecord } from '@folkmoot/records';
import { ranked } from './draw.ts';
import type { Context } from './events.ts';
import { auditSeed } from './seeds.ts';
import type { Member, State } from './state.ts';

/** What a witness measures. */
export interface Subject {
  trainer: DeviceId;
  seat: number;
  update: Hash;
}

/** The measurements of one round. */
export interface Scoring {
  round: number;
  base: Hash;
  previous: Hash;
  /** Names the rows of the round's seats. */
  seed: Hash;
  /** Draws the rows on which is measured; known to nobody before the commits. */
  rowsSeed: Hash;
  /** By witness, until it has said what it found. */
  owed: Record<DeviceId, Subject>;
  /** By trainer, in millionths of a nat per token. */
  found: Record<DeviceId, number[]>;
}

/** Thousandths of what is usual. */
export interface Help {
  /** A mean that forgets a quarter each time. */
  mean: number;
  samples: number;
}

export const NO_HELP_KNOWN: Help = { mean: 1000, samples: 0 };

/** A round is measured by its witnesses until the second round after it begins. */
const ROUNDS_BEHIND = 2;
/** With fewer there is nothing to compare with. */
const LEAST_MEASURED = 3;
const LEAST_SAMPLES = 4;
/** Below this part of what is usual, audits are more frequent, by the factor. */
const LITTLE = 400;
const RAISE = 4;

/** By how much the probability of an audit is multiplied. */
export function raiseOf({ mean, samples }: Help): number {
  return samples >= LEAST_SAMPLES && mean < LITTLE ? RAISE : 1;
}

/** Draws who measures whom in the round that is being finalized. */
export function drawScoring(state: State): void {
  const { round, members, charter } = state;
  if (!charter.audit.scores) return;
  const seed = auditSeed(state);
  const owed: Record<DeviceId, Subject> = {};
  // What is left of a seat helps less than a whole one, whoever works it.
  const whole = round.included.filter((device) => round.seats[device]!.skip === 0);
  const trainers = ranked(whole, 'help', seed);
  // In turn, so that as many as possible are measured; whose own turn it would be takes the next.
  for (const [turn, witness] of ranked(round.witnesses, 'help', seed).entries()) {
    const own = members[witness]!.account;
    const turns = [0, 1, 2].flatMap((step) => trainers[(turn + step) % trainers.length] ?? []);
    const trainer = turns.find((device) => members[device]!.account !== own);
    if (trainer === undefined) continue;
    const { seat, update } = round.seats[trainer]!;
    owed[witness] = { trainer, seat, update: update! };
  }
  const rowsSeed = hashOf('help-rows', seed);
  const { base, previous } = state;
  state.scorings[round.number] = { round: round.number, base, previous, seed: round.seed, rowsSeed, owed, found: {} };
}

export const score = {
  check({ scorings }: State, { device, round, base, scores }: RecordOf<'score'>): string | null {
    const scoring = scorings[round];
    const subject = scoring?.base === base ? scoring.owed[device] : undefined;
    if (!subject) return 'nothing is to be measured by this device';
    return scores.length === 1 && scores[0]!.trainer === subject.trainer ? null : 'another update was to be measured';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'score'>>, _context: Context): void {
    const scoring = state.scorings[body.round]!;
    const { trainer, help } = body.scores[0]!;
    scoring.found[trainer] = [...(scoring.found[trainer] ?? []), help];
    delete scoring.owed[body.device];
    if (Object.keys(scoring.owed).length === 0) concludeScoring(state, scoring);
  },
};

/** Takes what was measured of rounds that are over for good into their trainers' standing. */
export function concludeOldScorings(state: State): void {
  for (const scoring of Object.values(state.scorings))
    if (scoring.round <= state.round.number - ROUNDS_BEHIND) concludeScoring(state, scoring);
}

function concludeScoring(state: State, { round, found }: Scoring): void {
  delete state.scorings[round];
  const measured = Object.keys(found)
    .sort()
    .map((trainer) => ({ trainer, help: lowerMedian(found[trainer]!) }));
  if (measured.length < LEAST_MEASURED) return;
  const usual = lowerMedian(measured.map(({ help }) => help));
  // Where not even most help, there is nothing to learn from who does.
  if (usual <= 0) return;
  for (const { trainer, help } of measured) takeIn(state.members[trainer]!, help, usual);
}

function takeIn(member: Member, help: number, usual: number): void {
  // One false measurement must not undo many: it takes a quarter of the mean at most.
  const part = Math.max(0, Math.min(2000, Math.trunc((1000 * help) / usual)));
  const { mean, samples } = member.help;
  member.help = { mean: Math.trunc((3 * mean + part) / 4), samples: Math.min(samples + 1, MAX_HELP) };
}

function lowerMedian(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!;
}
