/**
 * I4, whose word orders: a term begins by the votes of electors or by the charter's turn, the role goes to whom the last header
 * names, and what had its seals before cannot end otherwise. Votes are counted, and their signatures checked, by hand.
 */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import type { RecordOf } from '@folkmoot/records';
import { type Checker, type Finding, first, isKind, type Look, short, type Truth } from './checker.ts';
import { canonical, isSigned, ranked, sha } from './second-opinion.ts';

export function terms({ charter, run }: Truth): Checker {
  let term = 1;
  let sequencer: DeviceId = charter.sequencer;
  let lastHeader: Hash = run;
  let finished = 0;
  /** Who could vote, before this entry. */
  let electors: readonly DeviceId[] = [];
  const barred = new Set<DeviceId>();
  /** The only header that the round at hand may end with, once votes have named one. */
  let bound: Hash | undefined;

  const isQuorum = (votes: number, seats: number) => (seats === 3 ? votes >= 2 : 3 * votes > 2 * seats);

  /** In the order that the last header draws, one for each term that is skipped. */
  function inTurn(electorate: readonly DeviceId[], wanted: number): DeviceId | undefined {
    const fit = electorate.filter((device) => device !== sequencer && !barred.has(device));
    const order = ranked(fit, 'successor', lastHeader);
    return order[(wanted - term - 1) % Math.max(1, order.length)];
  }

  function elected(body: RecordOf<'succeed'>): Finding {
    const says = `term ${body.term} begins`;
    const voters = new Set<DeviceId>();
    let lock: { term: number; header: Hash } | undefined;
    for (const { body: vote, signature } of body.votes) {
      const isHere = vote.run === run && vote.term === body.term && vote.header === lastHeader;
      if (!isHere) return `${says} with a vote about another term or round`;
      if (!electors.includes(vote.device)) return `${says} with the vote of ${short(vote.device)}, who is no elector`;
      if (!isSigned(vote.device, canonical(vote), signature)) return `${says} with a vote that nobody has signed`;
      voters.add(vote.device);
      if (vote.lock && vote.lock.term > (lock?.term ?? 0)) lock = vote.lock;
    }
    if (!isQuorum(voters.size, electors.length)) return `${says} with ${voters.size} votes of ${electors.length}`;
    if (lock && (!body.lock || sha(canonical(body.lock.header)) !== lock.header))
      return `${says} without the header to which its voters are bound`;
    bound = lock?.header;
    return undefined;
  }

  function take(event: Event, { body, accepted, state }: Look): Finding {
    if (event.kind === 'fault' || event.kind === 'revoked') barred.add(event.device);
    if (event.kind === 'finalized') {
      if (bound !== undefined && event.header !== bound)
        return `round ${event.round} ends with another header than the one that had been sealed`;
      bound = undefined;
      lastHeader = event.header;
      finished++;
    }
    if (event.kind !== 'term') return undefined;
    const says = `term ${event.term} (${event.why})`;
    const isHere = (device: DeviceId) => state.members[device]!.ready;
    const due =
      event.why === 'elected'
        ? inTurn(electors, event.term)
        : (inTurn(state.electors.filter(isHere), event.term) ?? inTurn(state.electors, event.term));
    if (event.term <= term) return `${says} follows term ${term}`;
    if (event.sequencer !== due)
      return `${says} goes to ${short(event.sequencer)}; the turn is ${short(due ?? 'nobody')}`;
    if (event.why !== 'elected' && event.term !== term + 1) return `${says} skips a term`;
    const { everyRounds } = charter.succession;
    if (event.why === 'rotated' && (everyRounds === 0 || finished % everyRounds !== 0))
      return `${says} after ${finished} rounds of ${everyRounds}`;
    if (event.why === 'at fault' && !barred.has(sequencer)) return `${says}, though nothing is proven`;
    const isFounded = event.why !== 'elected' || (accepted && isKind(body, 'succeed') && body.term === event.term);
    const unfounded = isFounded
      ? event.why === 'elected' && elected(body as RecordOf<'succeed'>)
      : `${says} without votes`;
    if (unfounded) return unfounded;
    [term, sequencer] = [event.term, event.sequencer];
    return undefined;
  }

  /** Every so many rounds the role goes on, where there is somebody else. */
  function isOverdue({ events, state }: Look): Finding {
    const { everyRounds } = charter.succession;
    const isEnd = events.some(({ kind }) => kind === 'finalized');
    if (!isEnd || everyRounds === 0 || finished % everyRounds !== 0) return undefined;
    const isHanded = events.some(({ kind }) => kind === 'term');
    const isOther = (device: DeviceId) => device !== sequencer && !barred.has(device);
    const others = state.electors.filter((device) => isOther(device) && state.members[device]!.ready);
    return isHanded || others.length === 0 ? undefined : `${short(sequencer)} stays in office after ${finished} rounds`;
  }

  return {
    invariant: 'I4',
    claim: 'the log is ordered by whom its electors or its rules have named',
    after(look) {
      const { entry, state } = look;
      const before = term;
      const found = first(look.events, (event) => take(event, look)) ?? isOverdue(look);
      electors = state.electors;
      if (found) return found;
      const isInTerm = entry.term === (isKind(look.body, 'succeed') && look.accepted ? term : before);
      return state.term === term && state.sequencer === sequencer && isInTerm
        ? undefined
        : `entry ${entry.index} is of term ${entry.term} under ${short(state.sequencer)}; by hand it is ${term}, ${short(sequencer)}`;
    },
  };
}
