/**
 * Terms of office: who orders the log, and how the role goes on to another.
 *
 * A term ends when its rounds are done (`rotate`) or when a quorum of electors has asked for a later one (`succeed`): the
 * view change of PBFT, with the header as what must survive it. Proof in docs/decisions/0029.
 */
import type { DeviceId } from '@folkmoot/core';
import {
  type Certificate,
  type Checked,
  type Entry,
  headerId,
  quorumOf,
  type RecordOf,
  type VerifiedRecord,
  verifyCertificate,
  verifyEntry,
  verifyRecord,
} from '@folkmoot/records';
import { inTurn } from './draw.ts';
import type { Context, Event } from './events.ts';
import { isBarred, type State } from './state.ts';

type Vote = RecordOf<'vote'>;
type Succeed = RecordOf<'succeed'>;

/**
 * Who would hold `term`, which is later than the present one: the electors without the present sequencer and whoever is at
 * fault, in an order that the last header draws, one for each term that is skipped. `undefined` where there is nobody.
 */
export function successorOf(state: State, term: number): DeviceId | undefined {
  const fit = state.electors.filter((device) => device !== state.sequencer && !isBarred(state.members[device]!));
  const order = inTurn(fit, state.lastHeader);
  return order[(term - state.term - 1) % Math.max(1, order.length)];
}

/** The planned handover: after so many finished rounds the next in turn goes on with the log. */
export function rotate(state: State, context: Context): void {
  const { everyRounds } = state.charter.succession;
  if (everyRounds > 0 && state.finalized % everyRounds === 0) handOver(state, 'rotated', context);
}

/** The next in turn takes over at once, where there is one. */
export function handOver(state: State, why: Extract<Event, { kind: 'term' }>['why'], context: Context): void {
  const term = state.term + 1;
  const here = state.electors.filter((device) => state.members[device]!.ready);
  // One that is silent would have to be voted away: it takes over only from who must not go on.
  const sequencer =
    successorOf({ ...state, electors: here }, term) ?? (why === 'rotated' ? undefined : successorOf(state, term));
  if (sequencer === undefined) return;
  enterTerm(state, { term, sequencer, why }, context);
}

/** What was signed for the end of a round in an older term is signed again in this one, so that one term has one quorum. */
function enterTerm(
  state: State,
  { term, sequencer, why }: Omit<Extract<Event, { kind: 'term' }>, 'kind' | 'former'>,
  context: Context,
): void {
  context.events.push({ kind: 'term', term, sequencer, former: state.sequencer, why });
  state.term = term;
  state.sequencer = sequencer;
  const { round, charter } = state;
  if (round.phase !== 'finalize' && round.phase !== 'seal') return;
  const deadlineMs = context.nowMs + charter.timing.finalizeMs;
  Object.assign(round, { phase: 'finalize', phaseAtMs: context.nowMs, deadlineMs, grace: false });
  Object.assign(round, { signed: {}, certified: null, sealed: [] });
}

/**
 * Checks the next entry of a log that folds to `state`: shape, signatures, its place, and where it begins a term, the
 * votes for that. The only way from bytes of others to an `Entry` that `apply` takes.
 */
export function readEntry(state: State, value: unknown): Checked<Entry> {
  const entry = verifyEntry(value, signerOf(state, value));
  if (!entry.ok) return entry;
  const reason = objectionTo(state, entry.value);
  return reason === null ? entry : { ok: false, reason };
}

/** Why `entry` is not the next one of this log, or null. */
export function objectionTo(state: State, entry: Entry): string | null {
  if (!continues(state, entry)) return 'it does not continue the entry before';
  const { body } = entry.record;
  if (entry.term === state.term) return body.kind === 'succeed' ? 'the term has begun before' : null;
  if (body.kind !== 'succeed') return 'a later term begins with the votes for it';
  return body.term === entry.term ? objectionToSuccession(state, body) : 'the votes are for another term';
}

/** Whether `entry` is linked to the head and not earlier. */
export function continues(state: State, entry: Entry): boolean {
  const { index, id, atMs } = state.head;
  return entry.index === index + 1 && entry.prev === id && entry.atMs >= atMs && entry.term >= state.term;
}

/** Why `body` does not begin its term on top of `state`, or null. */
export function objectionToSuccession(state: State, body: Succeed): string | null {
  if (body.run !== state.run || body.term <= state.term) return 'the term is not a later one of this run';
  if (body.device !== successorOf(state, body.term)) return 'another would hold this term';
  const votes = body.votes.map((vote) => checkVote(state, body.term, vote));
  const bad = votes.find((vote) => typeof vote === 'string');
  if (bad !== undefined) return bad;
  const good = votes as Vote[];
  if (new Set(good.map(({ device }) => device)).size < good.length) return 'somebody votes twice';
  if (good.length < quorumOf(state.electors.length)) return 'too few have voted';
  if (!good.some(({ seen }) => seen.index === state.head.index && seen.id === state.head.id))
    return 'no vote names the end of this log';
  return objectionToLock(state, highestLock(good), body.lock);
}

/** The lock of the latest term among `votes`: within a term there is only one. */
export function highestLock(votes: readonly Vote[]): NonNullable<Vote['lock']> | null {
  return votes.reduce<Vote['lock']>((best, { lock }) => (lock && lock.term > (best?.term ?? 0) ? lock : best), null);
}

/** Whether a log that folds to `state` stands where `certificate.header` was signed. */
export function holdsHeader({ round }: State, { header }: Certificate): boolean {
  const { aggregate: _aggregate, nextBase: _nextBase, ...decided } = header;
  const isSigning = round.phase === 'finalize' || round.phase === 'seal';
  return isSigning && JSON.stringify(sorted(round.expected!)) === JSON.stringify(sorted(decided));
}

/** The first entry of an elected term: the role changes, and only what the highest lock names can be signed. */
export function beginTerm(state: State, { body }: VerifiedRecord<Succeed>, context: Context): void {
  enterTerm(state, { term: body.term, sequencer: body.device, why: 'elected' }, context);
  state.elected = { term: body.term, finalized: state.finalized };
  state.round.bound = body.lock && headerId(body.lock.header);
}

function checkVote(state: State, term: number, value: unknown): Vote | string {
  const record = verifyRecord(value);
  if (!record.ok) return record.reason;
  const { body } = record.value;
  if (body.kind !== 'vote' || body.run !== state.run || body.term !== term) return 'a vote is for something else';
  if (body.header !== state.lastHeader) return 'a vote knows another last header';
  return state.electors.includes(body.device) ? body : 'a voter is no elector';
}

function objectionToLock(state: State, lock: Vote['lock'], certificate: Certificate | null): string | null {
  if (!lock) return certificate ? 'no vote names this lock' : null;
  if (!certificate) return 'the signatures on the locked header are missing';
  if (certificate.kind !== 'header' || certificate.term !== lock.term || headerId(certificate.header) !== lock.header)
    return 'the certificate is of another header';
  const checked = verifyCertificate(certificate, state.electors);
  if (!checked.ok) return checked.reason;
  return holdsHeader(state, certificate) ? null : 'this log does not lead to the locked header';
}

/** Whose signature the next entry must bear: of the first in an elected term, its own author's. */
function signerOf(state: State, value: unknown): DeviceId {
  const { term, record } = (value ?? {}) as { term?: unknown; record?: { body?: { device?: unknown } } };
  const claimed = record?.body?.device;
  return term !== state.term && typeof claimed === 'string' && /^[0-9a-f]{64}$/.test(claimed)
    ? claimed
    : state.sequencer;
}

function sorted(fields: object): [string, unknown][] {
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
}
