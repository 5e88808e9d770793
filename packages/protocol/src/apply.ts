/**
 * The reducer: same log, same state, on every machine.
 *
 * `apply` owns the state that it is given and changes it (a copy for every entry would cost as much as the run is long);
 * `copyState` makes an independent one. A record is checked before anything is changed, so a refused one is inert: its
 * entry only moves the head and the time.
 */
import { assert } from '@folkmoot/core';
import type { Entry, RecordBody, RecordKind, RecordOf, VerifiedRecord } from '@folkmoot/records';
import * as admission from './admission.ts';
import * as audits from './audits.ts';
import * as delivery from './delivery.ts';
import { dispute, expireDispute } from './disputes.ts';
import type { Context, Event } from './events.ts';
import { score } from './help.ts';
import * as membership from './membership.ts';
import { reproduced } from './reproduce.ts';
import * as reserves from './reserves.ts';
import * as revocation from './revocation.ts';
import { expire, prepareHeader, progress } from './round.ts';
import type { State } from './state.ts';
import { beginTerm, continues } from './succession.ts';
import { takeTimer } from './timers.ts';

interface Rule {
  /** The reason to refuse, or null. Changes nothing. */
  check(state: State, body: RecordBody): string | null;
  apply(state: State, record: VerifiedRecord, context: Context): void;
}

const nothing = { check: () => null, apply: () => {} };
const nowhere = { check: () => 'this is said to the electors, not to the log', apply: () => {} };

// Each rule takes its own kind of record; the table's key is what guarantees it.
const RULES = {
  join: membership.join,
  ready: membership.ready,
  leave: reserves.leave,
  fault: membership.fault,
  revoke: revocation.revoke,
  withdraw: admission.withdraw,
  commit: delivery.commit,
  reveal: delivery.reveal,
  attest: delivery.attest,
  header: delivery.header,
  seal: delivery.seal,
  open: audits.open,
  result: audits.result,
  close: audits.close,
  verdict: audits.verdict,
  lapse: reserves.lapse,
  alive: reserves.alive,
  reproduced,
  dispute,
  score,
  tick: nothing,
  vote: nowhere,
  succeed: nowhere,
} as unknown as Record<RecordKind, Rule>;

const ABOUT_A_PAST_ROUND: ReadonlySet<RecordKind> = new Set([
  'open',
  'result',
  'close',
  'verdict',
  'reproduced',
  'dispute',
  'score',
  'revoke',
  'withdraw',
]);

/** What carries its own authority: a stranger may bring it. */
const FROM_ANYBODY: ReadonlySet<RecordKind> = new Set(['join', 'revoke', 'withdraw']);

/** Applies the next entry and returns what it brought about. The entry must be this log's next one (`readEntry`). */
export function apply(state: State, entry: Entry): Event[] {
  assert(continues(state, entry), 'entries are applied in order');
  const context: Context = { nowMs: entry.atMs, index: entry.index, events: [] };
  state.head = { index: entry.index, id: entry.id, atMs: entry.atMs };
  passTime(state, context);
  const { record } = entry;
  if (entry.term > state.term) {
    beginTerm(state, record as VerifiedRecord<RecordOf<'succeed'>>, context);
    return context.events;
  }
  const reason = check(state, record);
  if (reason === null) {
    if (state.members[record.body.device]) state.members[record.body.device]!.seq = record.body.seq;
    RULES[record.body.kind].apply(state, record, context);
  } else {
    const { kind: recordKind, device } = record.body;
    context.events.push({ kind: 'rejected', record: record.id, recordKind, device, reason });
  }
  progress(state, context);
  prepareHeader(state, context);
  return context.events;
}

/** Why `record` would be refused now, or null. Changes nothing: the sequencer asks before it appends. */
export function check(state: State, record: VerifiedRecord): string | null {
  const { body } = record;
  if (body.run !== state.run) return 'the record is another run’s';
  const isOwnWord = body.kind === 'revoke' || body.kind === 'withdraw';
  if (body.term !== state.term && !isOwnWord)
    return `the record was said in term ${body.term}, and this is term ${state.term}`;
  if (body.seen.index > state.head.index) return 'the record names a log entry that does not exist yet';
  const member = state.members[body.device];
  if (!member && !FROM_ANYBODY.has(body.kind) && !(body.kind === 'tick' && body.device === state.sequencer))
    return 'the device has not joined';
  if (member?.banned) return 'the device was proven at fault';
  if (member?.revoked) return 'the device was revoked by its account';
  if (member && body.seq <= member.seq) return 'the record is a repetition';
  if (body.kind === 'tick' && body.device !== state.sequencer) return 'only the sequencer tells the time';
  if (!ABOUT_A_PAST_ROUND.has(body.kind) && (body.round !== state.round.number || body.base !== state.base))
    return `the record is about round ${body.round}, and this is round ${state.round.number}`;
  return RULES[body.kind].check(state, body);
}

/** The earliest time at which something happens without a record; `undefined` where nothing waits. */
export function nextDeadline(state: State): number | undefined {
  const times = [state.round.deadlineMs ?? undefined, state.timers[0]?.atMs].filter((time) => time !== undefined);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** Every deadline that the entry's time has passed, audits first. A phase that begins here begins now, so this ends. */
function passTime(state: State, context: Context): void {
  for (let timer = takeTimer(state, context.nowMs); timer; timer = takeTimer(state, context.nowMs))
    if (timer.stage === 'case' || timer.stage === 'dispute') expireDispute(state, timer, context);
    else audits.expireAudit(state, timer, context);
  if (state.round.deadlineMs !== null && state.round.deadlineMs <= context.nowMs) expire(state, context);
}
