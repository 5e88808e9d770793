/** I7: records of another run, round or base do nothing, nor does one that was heard before. Tried out on every kind. */
import { apply, check, copyState, type State } from '@folkmoot/protocol';
import { type Entry, type RecordBody, signEntry, signRecord, type VerifiedRecord } from '@folkmoot/records';
import { type Checker, type Finding, first, short, type Truth } from './checker.ts';
import { canonical, sha } from './second-opinion.ts';

/** One entry in so many is tried with another run, round and base. */
const EVERY = 4;

export function inert(truth: Truth): Checker {
  const lastSeq = new Map<string, number>();
  const ids: string[] = [];
  let base = truth.charter.initialBase;
  let number = 1;
  let triedIn = '';

  /** What `record` would be elsewhere. */
  function elsewhere(state: State, { body }: VerifiedRecord): [what: string, body: RecordBody][] {
    const heard = state.members[body.device]?.seq;
    const other = sha(`other ${body.seq}`);
    return [
      ['of another run', { ...body, run: other }],
      ['of the next round', { ...body, round: body.round + 1 }],
      ['on another base', { ...body, base: other }],
      ...(heard === undefined
        ? []
        : [['with a number that was heard', { ...body, seq: heard }] satisfies [string, RecordBody]]),
    ];
  }

  function refused(state: State, record: VerifiedRecord): Finding {
    const key = truth.keyOf(record.body.device);
    // Time is told about whatever round it is.
    if (!key || record.body.kind === 'tick') return undefined;
    return first(elsewhere(state, record), ([what, body]) =>
      check(state, signRecord(body, key)) === null
        ? `a ${body.kind} ${what} by ${short(body.device)} would be taken`
        : undefined,
    );
  }

  /** A refused record in the log moves the head and nothing else. Once a phase, on a copy. */
  function doesNothing(state: State, record: VerifiedRecord): Finding {
    const phase = `${state.round.number} ${state.round.phase}`;
    const key = truth.keyOf(record.body.device);
    const sequencer = truth.keyOf(state.sequencer);
    if (phase === triedIn || !key || !sequencer || record.body.kind === 'tick') return undefined;
    triedIn = phase;
    const copy = copyState(state);
    const foreign = signRecord({ ...record.body, run: sha('foreign') }, key);
    const { index, id, atMs } = state.head;
    const events = apply(copy, signEntry({ index: index + 1, prev: id, atMs, term: state.term }, foreign, sequencer));
    const { head: _before, ...before } = state;
    const { head: _after, ...after } = copy;
    if (events.length !== 1 || events[0]!.kind !== 'rejected')
      return `a foreign ${foreign.body.kind} brought about ${events.map(({ kind }) => kind).join()}`;
    return canonical(before) === canonical(after)
      ? undefined
      : `a foreign ${foreign.body.kind} changed the state in ${phase}`;
  }

  return {
    invariant: 'I7',
    claim: 'records of another run, round or base are inert',
    before(entry: Entry, state: State) {
      if (state.head.index < 0) return undefined;
      if (entry.index % EVERY === 0) return refused(state, entry.record) ?? doesNothing(state, entry.record);
      return undefined;
    },
    after({ entry, body, accepted, events, state }) {
      ids[entry.index] = entry.id;
      const says = `the ${body.kind} of ${short(body.device)} in entry ${entry.index}`;
      const rejected = events.find((event) => event.kind === 'rejected');
      // A tick whose time ends the round is about the round that it ended.
      if (rejected && body.kind !== 'tick' && truth.isHonest(truth.charter.sequencer))
        return `${says} was put into the log and is refused: ${rejected.reason}`;
      const past = number;
      const on = base;
      number = state.round.number;
      base = state.base;
      if (!accepted) return undefined;
      if (body.run !== truth.run) return `${says} is of another run and was taken`;
      if (body.seq <= (lastSeq.get(body.device) ?? 0)) return `${says} has number ${body.seq}, which was heard before`;
      lastSeq.set(body.device, body.seq);
      const seen = body.seen.index < 0 ? truth.run : ids[body.seen.index];
      if (
        body.seen.index >= entry.index ||
        (seen !== undefined && seen !== body.seen.id && truth.isHonest(body.device))
      )
        return `${says} has seen entry ${body.seen.index}, which is another`;
      if (
        ['open', 'close', 'result', 'verdict', 'dispute', 'reproduced', 'revoke', 'withdraw', 'tick'].includes(
          body.kind,
        )
      )
        return undefined;
      if (body.base !== on) return `${says} is on another base and was taken`;
      // A round that time has ended in this entry is one on.
      return body.round === past || body.round === past + 1
        ? undefined
        : `${says} is about round ${body.round}, and this is ${past}`;
    },
  };
}
