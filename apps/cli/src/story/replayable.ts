/** Which segments anybody can re-execute: those that were opened for an audit, and all of a round from public zeros. */
import { randomBytes } from 'node:crypto';
import { type DeviceId, type Hash, SeededRandom, shuffled, toHex, WorldError } from '@folkmoot/core';
import type { Audit, GivenVerdict } from '@folkmoot/protocol';
import { segmentsPerRound } from '@folkmoot/records';
import { namesOf } from './names.ts';
import type { RoundFile, SeatFile } from './round-files.ts';
import type { Story } from './story.ts';

/** A segment whose start and end its trainer has opened. */
export interface OpenedSegment {
  readonly kind: 'segment';
  readonly round: number;
  readonly trainer: DeviceId;
  readonly segment: number;
  readonly audit: Audit & { opened: NonNullable<Audit['opened']>; closed: NonNullable<Audit['closed']> };
  readonly verdicts: readonly GivenVerdict[];
}

/** A round that started from zeros: everything but its end is public, and its end is named in commit and reveal. */
export interface PublicRound {
  readonly kind: 'round';
  readonly round: number;
  readonly trainer: DeviceId;
  readonly file: RoundFile;
  readonly seat: SeatFile & Required<Pick<SeatFile, 'commit' | 'update' | 'momentsOut' | 'errorOut'>>;
}

export type Replayable = OpenedSegment | PublicRound;

export interface ReplayChoice {
  readonly round?: number;
  readonly segment?: number;
  readonly trainer?: DeviceId;
}

/** Opened segments in the order of their audits. */
export function openedSegments({ audits }: Story): OpenedSegment[] {
  return [...audits.all.values()].flatMap(({ audit, verdicts }): OpenedSegment[] => {
    const { round, trainer, segment, opened, closed } = audit;
    return opened && closed
      ? [{ kind: 'segment', round, trainer, segment, audit: { ...audit, opened, closed }, verdicts }]
      : [];
  });
}

/** Revealed rounds that began with zero moments and zero error memory. */
export function publicRounds({ rounds, run }: Story): PublicRound[] {
  const { zeroMoments, zeroError } = run.charter;
  return [...rounds.all.values()].flatMap((file) =>
    [...file.seats].flatMap(([trainer, seat]): PublicRound[] => {
      const { commit, update, momentsOut, errorOut, carryIn } = seat;
      const isPublic = carryIn.moments === zeroMoments && carryIn.error === zeroError;
      if (!isPublic || !commit || !update || !momentsOut || !errorOut) return [];
      return [
        { kind: 'round', round: file.number, trainer, file, seat: { ...seat, commit, update, momentsOut, errorOut } },
      ];
    }),
  );
}

/**
 * Those that fit `choice`, in an order of chance; opened segments where there are any. Never empty: throws
 * `nothing-to-replay`, or `segment-not-opened` with those that were.
 */
export function chooseReplays(story: Story, choice: ReplayChoice): Replayable[] {
  const opened = openedSegments(story);
  const fits = ({ round, trainer }: Replayable) =>
    (choice.round ?? round) === round && (choice.trainer ?? trainer) === trainer;
  const segments = opened.filter((one) => fits(one) && (choice.segment ?? one.segment) === one.segment);
  const inRange = choice.segment === undefined || choice.segment <= segmentsPerRound(story.run.charter);
  const candidates: Replayable[] = segments.length > 0 ? segments : inRange ? publicRounds(story).filter(fits) : [];
  if (candidates.length > 0) return shuffled(new SeededRandom(toHex(randomBytes(16))), candidates);
  throw opened.length === 0 ? nothing(story) : notOpened(story, opened, choice);
}

/** The artifacts without which it cannot be replayed, beside the run's data. */
export function neededFor(one: Replayable): Hash[] {
  if (one.kind === 'round') return [one.file.base, one.file.previous];
  const { opened, closed, base, previous, carryIn } = one.audit;
  return [opened.params, opened.moments, closed.lastParams, base, previous, carryIn.error];
}

/** `round 2, segment 3 of ben`. */
export function describe(story: Story, one: Replayable): string {
  const name = namesOf(story.state.members)(one.trainer);
  return one.kind === 'segment'
    ? `round ${one.round}, segment ${one.segment} of ${name}`
    : `round ${one.round}, all segments of ${name}`;
}

function nothing({ state }: Story): WorldError {
  return new WorldError('nothing-to-replay', 'Nothing in this run can be replayed yet: no audit has been finished.', {
    facts: { round: state.round.number, finished: state.finalized },
    help: 'Wait for the end of a round and its audits: "folkmoot log --follow --kind verdict".',
  });
}

function notOpened(story: Story, opened: readonly OpenedSegment[], choice: ReplayChoice): WorldError {
  const wanted = [
    choice.round === undefined ? '' : `round ${choice.round}`,
    choice.segment === undefined ? '' : `segment ${choice.segment}`,
    choice.trainer === undefined ? '' : namesOf(story.state.members)(choice.trainer),
  ];
  const shown = opened.slice(-12).map((one) => describe(story, one));
  return new WorldError(
    'segment-not-opened',
    `No such segment was opened: ${wanted.filter(Boolean).join(', ')}. Only its trainer can re-execute what was not opened for an audit.`,
    {
      facts: { 'can be replayed': `${shown.join('; ')}${opened.length > 12 ? '; and older ones' : ''}` },
      help: 'Choose one of these with --round, --segment and --member, or any of them with --random.',
    },
  );
}
