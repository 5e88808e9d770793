import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accountKey, deviceKey, isWorldError, toHex, vouchForDevice } from '@folkmoot/core';
import { formatVouch, type Invite, issueTicket } from '@folkmoot/records';
import { openIdentity } from '../identity.ts';
import { accountOf, admissionOf } from './admission-of.ts';
import { checkTicket, vouchedOf } from './entering.ts';

const RUN = 'ab'.repeat(32);
const SECRET = new Uint8Array(32).fill(5);
const ACCOUNT = accountKey(new Uint8Array(32).fill(6));

function inviteWith(run: string, untilMs: number): Invite {
  const issued = issueTicket(deviceKey(SECRET), SECRET, { run, uses: 1, untilMs });
  return { run: RUN, name: 'x', addresses: ['a'], header: RUN, ticket: { ...issued, secret: toHex(SECRET) } };
}

test('an expired invite, or one with a foreign ticket, is told before anything is fetched', () => {
  checkTicket(inviteWith(RUN, 1000), 999);
  checkTicket({ ...inviteWith(RUN, 0), ticket: undefined }, 1000);
  assert.throws(
    () => checkTicket(inviteWith(RUN, 1000), 1000),
    (error) => isWorldError(error, 'invite-expired'),
  );
  assert.throws(
    () => checkTicket(inviteWith('cd'.repeat(32), 1000), 0),
    (error) => isWorldError(error, 'invite-foreign'),
  );
});

test('an account’s word is good for the device and the run that it names', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'folkmoot-entering-'));
  t.after(() => rm(home, { recursive: true }));
  const mine = (await openIdentity(home)).device.id;
  const word = (device: string) =>
    formatVouch({ run: RUN, account: ACCOUNT.id, device, vouch: vouchForDevice(ACCOUNT, device, RUN) });
  assert.equal((await vouchedOf(home, word(mine), RUN))?.account, ACCOUNT.id);
  assert.equal(await vouchedOf(home, undefined, RUN), undefined);
  const foreign = (error: unknown) => isWorldError(error, 'vouch-foreign') && error.help.includes('keys add');
  await assert.rejects(vouchedOf(home, word('cd'.repeat(32)), RUN), foreign);
  await assert.rejects(vouchedOf(home, word(mine), 'ef'.repeat(32)), foreign);
});

test('who may join, from options', () => {
  const account = `0x${'Ab'.repeat(20)}`;
  assert.equal(admissionOf({ admission: 'open', memberInvites: '5' }), undefined);
  assert.equal(admissionOf({}), undefined);
  assert.deepEqual(admissionOf({ admission: 'invite', memberInvites: '5' }), { kind: 'invite', perMember: 5 });
  assert.deepEqual(admissionOf({ admission: 'list', allow: [account], memberInvites: '0' }), {
    kind: 'list',
    accounts: [account.toLowerCase()],
    perMember: 0,
  });
  assert.throws(
    () => admissionOf({ admission: 'invite', allow: [account] }),
    (error) => isWorldError(error, 'admission-open'),
  );
  assert.throws(
    () => admissionOf({ admission: 'invite', memberInvites: 'x' }),
    (error) => isWorldError(error, 'bad-number'),
  );
  assert.throws(
    () => accountOf('0x12'),
    (error) => isWorldError(error, 'bad-account'),
  );
});
