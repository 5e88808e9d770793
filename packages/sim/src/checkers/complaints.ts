/**
 * I12, who is said to leave records out: an elector complains about what its log does not have, in as many rounds of a term
 * as the charter says, and in a healed world about nobody honest; whoever does leave out loses the role in the rule's time.
 */
import type { DeviceId } from '@folkmoot/core';
import type { Event, State } from '@folkmoot/protocol';
import { type Checker, type Finding, first, short, type Truth } from './checker.ts';

/** Rounds that an election may take, and what its votes wait for, beside those in which the electors look. */
const ELECTION_ROUNDS = 2;

/** What a member has told. */
interface Heard {
  /** By index, the records of its log. */
  readonly log: string[];
  /** The term in which it has seen records left out, and in which rounds since it complained last. */
  term: number;
  rounds: Set<number>;
}

/** Checkers begin anew where a branch of the log is given up; what members have told stays. */
const TOLD = new WeakMap<Truth, Map<DeviceId, Heard>>();

export function complaints(truth: Truth): Checker {
  const needed = truth.charter.succession.complaintRounds ?? Number.POSITIVE_INFINITY;
  const heardBy = TOLD.get(truth) ?? new Map<DeviceId, Heard>();
  TOLD.set(truth, heardBy);
  /** Of the round at hand, who has a seat and has not committed; and of the term, the rounds in which a member has not. */
  let silent = new Set<DeviceId>();
  let round = 0;
  const missed = new Map<DeviceId, number>();

  function heardOf(device: DeviceId): Heard {
    const heard = heardBy.get(device) ?? { log: [], term: 0, rounds: new Set() };
    heardBy.set(device, heard);
    return heard;
  }

  const isCalm = (number: number) => truth.calmFrom !== undefined && number >= truth.calmFrom;

  /** Whether enough electors are honest to vote `sequencer` away. */
  function canDepose({ electors, sequencer }: State): boolean {
    const honest = electors.filter((device) => device !== sequencer && truth.isHonest(device)).length;
    return electors.length === 3 ? honest >= 2 : 3 * honest > 2 * electors.length;
  }

  function take(event: Event, state: State): Finding {
    if (event.kind === 'term') missed.clear();
    if (event.kind === 'assigned') [silent, round] = [new Set(event.trainers), event.round];
    if (event.kind === 'committed') silent.delete(event.device);
    if (event.kind !== 'finalized' && event.kind !== 'void') return undefined;
    const leftOut = [...silent].filter((device) => truth.isHonest(device));
    silent = new Set();
    if (!isCalm(round) || truth.isHonest(state.sequencer) || !canDepose(state)) return undefined;
    return first(leftOut, (device) => {
      const rounds = (missed.get(device) ?? 0) + 1;
      missed.set(device, rounds);
      return rounds > needed + ELECTION_ROUNDS
        ? `${short(device)} is honest and left out in ${rounds} rounds of term ${state.term}; ${short(state.sequencer)} stays`
        : undefined;
    });
  }

  return {
    invariant: 'I12',
    claim: 'who leaves records out loses the role, and nobody else for that',
    after: ({ events, state }) => first(events, (event) => take(event, state)),
    told({ id }, notice) {
      if (!truth.isHonest(id)) return undefined;
      const heard = heardOf(id);
      if (notice.kind === 'entry') {
        const { index, record } = notice.entry;
        heard.log[index] = `${record.body.device} ${record.body.seq}`;
      }
      if (notice.kind === 'turned') heard.log.length = Math.min(heard.log.length, notice.index + 1);
      if (notice.kind === 'left-out') {
        const { device, seq, sequencer, term } = notice;
        if (term !== heard.term) Object.assign(heard, { term, rounds: new Set() });
        heard.rounds.add(notice.round);
        const says = `${short(sequencer)} is said to leave out record ${seq} of ${short(device)}`;
        if (heard.log.includes(`${device} ${seq}`)) return `${says}, which is in the log`;
        const isWronged = isCalm(notice.round) && truth.isHonest(sequencer) && !truth.hasForgotten(sequencer);
        return isWronged ? `${says} in a healed world, and is honest` : undefined;
      }
      if (notice.kind !== 'complained') return undefined;
      const rounds = notice.term === heard.term ? heard.rounds.size : 0;
      heard.rounds = new Set();
      return rounds < needed
        ? `${short(notice.sequencer)} is to be voted away for what was left out in ${rounds} rounds of ${needed}`
        : undefined;
    },
  };
}
