import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey, deviceKey, signBytes, vouchForDevice } from '@folkmoot/core';
import { type Admission, type AdmissionRules, claimTicket, issueTicket, withdrawalBytes } from '@folkmoot/records';
import { ADMISSION } from './admission.ts';
import { ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

/** As `ScriptedRun.join` has it: member i has account i + 100. */
const accountOf = (index: number) => accountKey(new Uint8Array(32).fill(index + 100));
const SECRET = new Uint8Array(32).fill(77);
const UNTIL = 2_000_000;
const INVITE: AdmissionRules = { kind: 'invite', perMember: 2 };

test('a run by invite lets in its creator, then whoever shows a ticket of the creator’s', () => {
  const { run, creator } = byInvite();
  assert.equal(join(run, 2), ADMISSION['invite-needed']);
  const ticket = ticketOf(run, creator, { uses: 2 });
  assert.equal(join(run, 2, ticket), null);
  assert.equal(join(run, 3, ticket), null);
  assert.equal(join(run, 4, ticket), ADMISSION['invite-used-up']);
  assert.deepEqual(Object.keys(run.state.members).length, 3);
  assert.deepEqual(Object.values(run.state.doors.tickets), [{ used: 2, withdrawn: false }]);
  // A further device of an account that is in needs no ticket, and uses none up.
  assert.equal(join(run, 5, undefined, 2), null);
});

test('a refused join counts nothing', () => {
  const { run, creator } = byInvite();
  const ticket = ticketOf(run, creator, { uses: 1 });
  const before = JSON.stringify(run.state.doors);
  assert.notEqual(
    join(run, 2, (device) => ({ ...ticket(device), claim: ticket('00'.repeat(32)).claim })),
    null,
  );
  assert.equal(JSON.stringify(run.state.doors), before);
  assert.equal(join(run, 2, ticket), null);
});

test('a ticket is good for its run, its time, its accounts, and the device that claims it', () => {
  const { run, creator } = byInvite();
  const other = { ...run.state, run: 'ab'.repeat(32) };
  const cases: [keyof typeof ADMISSION, (device: string) => Admission][] = [
    ['invite-foreign', ticketOf({ state: other } as ScriptedRun, creator)],
    ['invite-expired', ticketOf(run, creator, { untilMs: run.nowMs })],
    ['invite-others', ticketOf(run, creator, { accounts: [accountOf(3).id] })],
    ['invite-unauthorized', ticketOf(run, new ScriptedMember(9))],
    // Copied out of the log by somebody else.
    ['invite-forged', () => ticketOf(run, creator)(new ScriptedMember(8).id)],
    ['invite-forged', (device) => ({ ...ticketOf(run, creator)(device), signature: '0'.repeat(128) })],
    // Terms that the issuer did not sign.
    ['invite-forged', (device) => withTerms(ticketOf(run, creator)(device), { uses: 9 })],
    ['invite-forged', (device) => withTerms(ticketOf(run, creator)(device), { untilMs: UNTIL + 1 })],
  ];
  for (const [code, ticket] of cases) assert.equal(join(run, 2, ticket), ADMISSION[code], code);
  assert.equal(join(run, 3, ticketOf(run, creator, { accounts: [accountOf(3).id] })), null);
});

test('a ticket that its issuer took back lets nobody in; only the issuer can take it back', () => {
  const { run, creator } = byInvite();
  const ticket = ticketOf(run, creator);
  assert.equal(join(run, 2, ticket), null);
  const key = deviceKey(SECRET).id;
  const stranger = new ScriptedMember(9);
  const taken = (by: ScriptedMember) => ({
    issuer: by.id,
    key,
    signature: signBytes(by.key, withdrawalBytes(run.state.run, key)),
  });
  assert.match(run.say(stranger, 'withdraw', { ...taken(stranger), issuer: creator.id })!, /has not signed/);
  assert.match(run.say(stranger, 'withdraw', taken(stranger))!, /no member/);
  // A member takes back a ticket of the same key: its own, not the creator's.
  assert.equal(run.say(stranger, 'withdraw', taken(run.members[1]!)), null);
  assert.equal(join(run, 3, ticket), null);
  // The record may be carried by anybody, and at any time.
  assert.equal(run.say(stranger, 'withdraw', taken(creator), { round: 7, base: 'cd'.repeat(32) }), null);
  assert.equal(join(run, 4, ticket), ADMISSION['invite-withdrawn']);
  assert.match(run.say(stranger, 'withdraw', taken(creator))!, /before/);
});

test('a member lets others in when it is a senior, and so many as the charter says', () => {
  const { run, creator } = byInvite();
  for (const index of [2, 3]) assert.equal(join(run, index, ticketOf(run, creator)), null);
  const [, ben] = run.members as [ScriptedMember, ScriptedMember];
  assert.equal(join(run, 4, ticketOf(run, ben)), ADMISSION['invite-unauthorized']);
  for (const member of run.members) run.ready(member);
  assert.ok(run.run(() => run.state.finalized >= 1));
  assert.ok(run.state.members[ben.id]!.founder);
  const ticket = ticketOf(run, ben, { uses: 50 });
  assert.equal(join(run, 4, ticket), null);
  assert.equal(join(run, 5, ticket), null);
  assert.equal(join(run, 6, ticket), ADMISSION['inviter-used-up']);
  // What the creator lets in is not bounded by that.
  for (const index of [6, 7, 8]) assert.equal(join(run, index, ticketOf(run, creator, { uses: 50 })), null);
});

test('a run by list lets in those on it, and those whom a ticket names', () => {
  const rules: AdmissionRules = { kind: 'list', accounts: [accountOf(2).id], perMember: 0 };
  const { run, creator } = byInvite(rules);
  assert.equal(join(run, 2), null);
  assert.equal(join(run, 3), ADMISSION['not-listed']);
  assert.equal(join(run, 3, ticketOf(run, creator)), ADMISSION['not-listed']);
  assert.equal(join(run, 3, ticketOf(run, creator, { accounts: [accountOf(3).id] })), null);
  assert.equal(
    join(run, 4, ticketOf(run, run.members[1]!, { accounts: [accountOf(4).id] })),
    ADMISSION['invite-unauthorized'],
  );
});

test('an account has so many devices', () => {
  const run = new ScriptedRun(testCharter(), []);
  for (let index = 1; index <= 16; index++) assert.equal(join(run, index, undefined, 1), null);
  assert.equal(join(run, 17, undefined, 1), ADMISSION['too-many-devices']);
  assert.equal(join(run, 18), null);
});

/** A run that is not open, with its creator in it. */
function byInvite(admission: AdmissionRules = INVITE) {
  const creator = new ScriptedMember(1);
  const run = new ScriptedRun(testCharter({ admission, creator: accountOf(1).id }), []);
  assert.equal(join(run, 1), null);
  return { run, creator };
}

/** Member `index` asks to be let in; it is among the run's members when it was. */
function join(run: ScriptedRun, index: number, ticket?: (device: string) => Admission, account = index): string | null {
  const member = new ScriptedMember(index);
  const key = accountOf(account);
  const reason = run.say(member, 'join', {
    account: key.id,
    vouch: vouchForDevice(key, member.id, run.state.run),
    name: `m${index}`,
    ...(ticket && { admission: ticket(member.id) }),
  });
  if (reason === null) run.members.push(member);
  return reason;
}

function ticketOf(
  { state }: Pick<ScriptedRun, 'state'>,
  issuer: ScriptedMember,
  terms: { uses?: number; untilMs?: number; accounts?: string[] } = {},
): (device: string) => Admission {
  const issued = issueTicket(issuer.key, SECRET, { run: state.run, uses: 50, untilMs: UNTIL, ...terms });
  return (device) => claimTicket(issued, SECRET, device);
}

function withTerms(admission: Admission, terms: object): Admission {
  return { ...admission, ticket: { ...admission.ticket, ...terms } };
}
