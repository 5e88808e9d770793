/** I9, claims: a record that is right in all but one field is refused. Tried with the real records of the run, signed anew. */
import { check, type State } from '@folkmoot/protocol';
import {
  type Entry,
  type RecordBody,
  type RecordKind,
  type RecordOf,
  recordBytes,
  signRecord,
} from '@folkmoot/records';
import { type Checker, type Finding, first, isKind, short, type Truth } from './checker.ts';
import { sha } from './second-opinion.ts';

/** One entry in so many is tried, always another field. */
const EVERY = 2;

type Change = (body: never) => object;

/** What the log binds each kind of record to: a change of any of these must be refused. */
const BOUND: { readonly [K in RecordKind]?: { readonly [what: string]: (body: RecordOf<K>) => Partial<RecordOf<K>> } } =
  {
    join: {
      account: ({ account }) => ({ account: flipped(account) }),
      vouch: ({ vouch }) => ({ vouch: vouch.slice(0, 8) + flipped(vouch.slice(8, 72)) + vouch.slice(72) }),
    },
    commit: {
      seat: ({ seat }) => ({ seat: seat + 1 }),
      momentsIn: ({ momentsIn }) => ({ momentsIn: flipped(momentsIn) }),
      errorIn: ({ errorIn }) => ({ errorIn: flipped(errorIn) }),
    },
    reveal: {
      update: ({ update }) => ({ update: flipped(update) }),
      salt: ({ salt }) => ({ salt: flipped(salt) }),
      updateBytes: () => ({ updateBytes: 2 ** 33 }),
    },
    attest: {
      draw: ({ draw }) => ({ draw: (draw + 1) % 3 }),
      preimage: ({ preimage }) => ({ preimage: flipped(preimage) }),
      'an update twice': ({ updates }) => ({ updates: [...updates, updates[0] ?? sha('none')] }),
      'an update that nobody offers': ({ updates }) => ({ updates: [...updates, sha('none')] }),
    },
    header: {
      electors: ({ header }) => ({ header: { ...header, electors: flipped(header.electors) } }),
      preimage: ({ preimage }) => ({ preimage: flipped(preimage) }),
      prev: ({ header }) => ({ header: { ...header, prev: flipped(header.prev) } }),
      stateRoot: ({ header }) => ({ header: { ...header, stateRoot: flipped(header.stateRoot) } }),
      base: ({ header }) => ({ header: { ...header, base: flipped(header.base) } }),
      updateSetRoot: ({ header }) => ({ header: { ...header, updateSetRoot: flipped(header.updateSetRoot) } }),
      creditsRoot: ({ header }) => ({ header: { ...header, creditsRoot: flipped(header.creditsRoot) } }),
      logIndex: ({ header }) => ({ header: { ...header, logIndex: header.logIndex + 1 } }),
    },
    seal: {
      header: ({ header }) => ({ header: flipped(header) }),
      prev: ({ prev }) => ({ prev: flipped(prev) }),
    },
    open: {
      segment: ({ segment }) => ({ segment: segment + 1 }),
      params: ({ params }) => ({ params: flipped(params) }),
      moments: ({ moments }) => ({ moments: flipped(moments) }),
      salt: ({ start }) => ({ start: { ...start, salt: flipped(start.salt) } }),
      index: ({ start }) => ({ start: { ...start, index: start.index + 1 } }),
    },
    result: {
      trainer: ({ trainer }) => ({ trainer: flipped(trainer) }),
      segment: ({ segment }) => ({ segment: segment + 1 }),
    },
    close: {
      endParams: ({ endParams }) => ({ endParams: flipped(endParams) }),
      endMoments: ({ endMoments }) => ({ endMoments: flipped(endMoments) }),
      lastParams: ({ lastParams }) => ({ lastParams: flipped(lastParams) }),
      lastPrevious: ({ lastPrevious }) => ({ lastPrevious: flipped(lastPrevious) }),
      'salt of the end': ({ end }) => ({ end: { ...end, salt: flipped(end.salt) } }),
      'salt of the last': ({ last }) => ({ last: { ...last, salt: flipped(last.salt) } }),
      'salt of the encoding': ({ encode }) => ({ encode: { ...encode, salt: flipped(encode.salt) } }),
    },
    verdict: {
      trainer: ({ trainer }) => ({ trainer: flipped(trainer) }),
      segment: ({ segment }) => ({ segment: segment + 1 }),
      stateRoot: ({ stateRoot, outcome }) =>
        stateRoot === null
          ? { segment: 99 }
          : { stateRoot: flipped(stateRoot), outcome: outcome === 'match' ? 'mismatch' : outcome },
      salt: ({ salt }) => (salt === null ? { segment: 99 } : { salt: flipped(salt) }),
      outcome: ({ outcome, part }) =>
        outcome === 'match'
          ? { outcome: 'within', distancePpm: 1 }
          : outcome === 'mismatch' && part === 'segment'
            ? { outcome: 'match' }
            : { segment: 99 },
    },
  };

export function claims(truth: Truth): Checker {
  function forged(state: State, body: RecordBody): Finding {
    const key = truth.keyOf(body.device);
    const changes = Object.entries((BOUND[body.kind] ?? {}) as Record<string, Change>);
    if (!key || changes.length === 0) return undefined;
    // Another field with every entry, and two of each.
    return first([0, 1], (i) => {
      const [what, change] = changes[(state.head.index + i * 3) % changes.length]!;
      const lie = { ...body, ...change(body as never) } as RecordBody;
      return check(state, signRecord(lie, key)) === null
        ? `the ${body.kind} of ${short(body.device)} would be taken with another ${what}`
        : undefined;
    });
  }

  /** Saying a thing twice is honest; saying two things is a proof, whoever brings it. */
  function contradictions(state: State, { body, ...record }: Entry['record']): Finding {
    const key = truth.keyOf(body.device);
    const judge = truth.keyOf(state.sequencer);
    if (!isKind(body, 'commit') || !key || !judge || body.seat !== 0) return undefined;
    const text = (said: RecordBody) => new TextDecoder().decode(recordBytes(signRecord(said, key)));
    const fault = (second: RecordBody): RecordBody => ({
      kind: 'fault',
      run: body.run,
      round: state.round.number,
      base: state.base,
      device: judge.id,
      seq: state.members[judge.id]!.seq + 1,
      seen: { index: state.head.index, id: state.head.id },
      term: state.term,
      first: text(body),
      second: text(second),
    });
    const takes = (second: RecordBody) => check(state, signRecord(fault(second), judge)) === null;
    if (takes({ ...body, seq: body.seq + 1 }))
      return `who says the same commit twice (${record.id.slice(0, 8)}) is called a liar`;
    return takes({ ...body, seq: body.seq + 1, traceRoot: flipped(body.traceRoot) })
      ? undefined
      : `two commits of ${short(body.device)} that contradict each other prove nothing`;
  }

  return {
    invariant: 'I9',
    claim: 'a record with one forged field is refused',
    before(entry: Entry, state: State) {
      const { record } = entry;
      if (!state.members[state.sequencer]) return undefined;
      if (entry.index % EVERY !== 0) return undefined;
      return forged(state, record.body) ?? contradictions(state, record);
    },
  };
}

/** Another text of the same length and alphabet. */
function flipped(text: string): string {
  const at = text.length - 1;
  return text.slice(0, at) + (text[at] === '0' ? '1' : '0');
}
