import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey, revokeDevice, vouchForDevice } from '@folkmoot/core';
import { duties } from './index.ts';
import { recordText, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

const accountOf = (index: number) => accountKey(new Uint8Array(32).fill(index + 100));

test('a revoked device is inert; what it earned stays with its account', () => {
  const { run, thief } = after(2);
  const earned = run.state.ledger.accounts[accountOf(2).id]!.earned;
  assert.ok(earned > 0);
  assert.equal(revoke(run, 2, thief.id), null);
  assert.deepEqual(duties(run.state, thief.id), []);
  assert.match(run.ready(thief)!, /revoked by its account/);
  assert.match(run.say(thief, 'leave', { abstains: true })!, /revoked by its account/);
  const { finalized } = run.state;
  assert.ok(run.run(() => run.state.finalized >= finalized + 3));
  assert.ok(run.state.ledger.accounts[accountOf(2).id]!.earned >= earned);
  assert.ok(!(thief.id in run.state.round.seats) && !run.state.round.witnesses.includes(thief.id));
});

test('only its own account revokes a device, once', () => {
  const { run, thief } = after(1);
  assert.match(revoke(run, 3, thief.id)!, /no such device/);
  assert.match(revoke(run, 2, thief.id, accountOf(3))!, /has not revoked/);
  assert.match(revoke(run, 2, run.members[2]!.id)!, /no such device/);
  // Vouching is another signature than revoking.
  const vouch = vouchForDevice(accountOf(2), thief.id, run.state.run);
  const said = { account: accountOf(2).id, revoked: thief.id, signature: vouch };
  assert.match(run.say(new ScriptedMember(9), 'revoke', said)!, /has not revoked/);
  assert.equal(revoke(run, 2, thief.id), null);
  assert.match(revoke(run, 2, thief.id)!, /before/);
});

test('a new device of a revoked one’s account goes on as a senior, from zeros and audited in full', () => {
  const { run, thief } = after(2);
  assert.equal(revoke(run, 2, thief.id), null);
  const fresh = new ScriptedMember(7);
  run.join(fresh, 102);
  run.members[1] = fresh;
  const member = run.state.members[fresh.id]!;
  assert.deepEqual(
    [member.founder, member.cleanAudits, member.carry.round, member.account],
    [true, 0, 0, accountOf(2).id],
  );
  const stranger = new ScriptedMember(8);
  run.join(stranger);
  assert.equal(run.state.members[stranger.id]!.founder, false);
  const { earned } = run.state.ledger.accounts[accountOf(2).id]!;
  assert.ok(run.run(() => run.state.ledger.accounts[accountOf(2).id]!.earned > earned));
});

test('whoever stole the device cannot cost the account its credits by contradicting itself afterwards', () => {
  const { run, thief } = after(2);
  const [round, base] = [1, run.state.charter.initialBase];
  const twice = (state: string) => {
    const said = { trainer: run.members[0]!.id, segment: 1, result: state.repeat(64) };
    return recordText(run.sign(thief, 'result', said, { round, base }));
  };
  const proof = { first: twice('a'), second: twice('b') };
  assert.equal(revoke(run, 2, thief.id), null);
  assert.match(run.say(run.members[2]!, 'fault', proof)!, /prove nothing/);
  assert.ok(run.state.ledger.accounts[accountOf(2).id]!.earned > 0);
});

test('a run of two whose one member revokes its device waits for nobody for ever', () => {
  const { run, thief } = after(1, 2);
  assert.equal(revoke(run, 2, thief.id), null);
  const fresh = new ScriptedMember(7);
  run.join(fresh, 102);
  run.members[1] = fresh;
  const { finalized } = run.state;
  assert.ok(run.run(() => run.state.finalized >= finalized + 2));
});

test('a sequencer whose device is revoked hands over at once, and the run goes on', () => {
  const { run } = after(2, 4);
  const [first] = run.members;
  assert.equal(run.state.sequencer, first!.id);
  assert.equal(revoke(run, 1, first!.id), null);
  assert.equal(run.state.term, 2);
  assert.notEqual(run.state.sequencer, first!.id);
  const { finalized } = run.state;
  assert.ok(run.run(() => run.state.finalized >= finalized + 2));
});

/** A run that has finished so many rounds; the second member's device is about to be lost. */
function after(rounds: number, members = 3) {
  const run = new ScriptedRun(
    testCharter(),
    Array.from({ length: members }, (_, i) => new ScriptedMember(i + 1)),
  );
  for (const member of run.members) run.join(member);
  const settled = () => Object.values(run.state.ledger.accounts).every(({ earned }) => earned > 0);
  assert.ok(run.run(() => run.state.finalized >= rounds && settled()));
  return { run, thief: run.members[1]! };
}

/** A stranger brings the word of account `index`. */
function revoke(run: ScriptedRun, index: number, device: string, signer = accountOf(index)): string | null {
  const said = {
    account: accountOf(index).id,
    revoked: device,
    signature: revokeDevice(signer, device, run.state.run),
  };
  return run.say(new ScriptedMember(9), 'revoke', said);
}
