import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWorldError, signBytes, utf8, verifyBytes } from '@folkmoot/core';
import { openIdentity, parseKeys, printKeys, readIdentity, replaceIdentity } from './identity.ts';
import { encryptKeys, readBackup } from './key-backup.ts';

test('made at first need, the same ever after, and for the owner alone', async (t) => {
  const home = join(freshFolder(t), 'not', 'there yet');
  assert.equal(await readIdentity(home), undefined);
  const first = await openIdentity(home);
  const again = await openIdentity(home);
  assert.deepEqual(again, first);
  assert.deepEqual(readdirSync(home), ['keys.json']);
  assert.equal(statSync(join(home, 'keys.json')).mode & 0o777, 0o600);
  const message = utf8('hello');
  assert.ok(verifyBytes(first.device.id, message, signBytes(again.device, message)));
});

test('many first needs at once give one identity', async (t) => {
  const home = freshFolder(t);
  const all = await Promise.all(Array.from({ length: 8 }, () => openIdentity(home)));
  assert.equal(new Set(all.map((identity) => identity.account.id)).size, 1);
  assert.deepEqual(readdirSync(home), ['keys.json']);
});

test('damaged keys are an error that names the file, never a new identity', async (t) => {
  const home = freshFolder(t);
  const text = printKeys(await openIdentity(home));
  const damages = [
    '',
    '{',
    'null',
    '[]',
    '"folkmoot-keys"',
    text.slice(0, -20),
    text.replace('"version": 1', '"version": 2'),
  ];
  // Another last digit of a secret is another key.
  damages.push(
    text.replace(/([0-9a-f])(",?\n {2}\})/, (_all, digit, tail) => (digit === '0' ? `1${tail}` : `0${tail}`)),
  );
  for (const damaged of damages) {
    writeFileSync(join(home, 'keys.json'), damaged);
    await assert.rejects(openIdentity(home), (error) => isWorldError(error, 'keys-corrupt') && 'file' in error.facts);
    assert.equal(readFileSync(join(home, 'keys.json'), 'utf8'), damaged);
  }
});

test('a home that cannot be used is an error that says so', async (t) => {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(openIdentity(join(folder, 'file')), (error) => isWorldError(error, 'home-unusable'));
  mkdirSync(join(folder, 'home', 'keys.json'), { recursive: true });
  await assert.rejects(openIdentity(join(folder, 'home')), (error) => isWorldError(error, 'home-unusable'));
  if (process.getuid?.() === 0) return;
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0o500);
  await assert.rejects(openIdentity(join(folder, 'closed')), (error) => isWorldError(error, 'home-unusable'));
});

test('replaced keys stay beside the new ones', async (t) => {
  const home = freshFolder(t);
  const [old, other] = [await openIdentity(home), await openIdentity(join(home, 'other'))];
  const aside = await replaceIdentity(home, other);
  assert.deepEqual(await openIdentity(home), other);
  assert.deepEqual(parseKeys(readFileSync(aside!, 'utf8')), old);
  assert.equal(await replaceIdentity(join(home, 'empty'), other), undefined);
});

test('an encrypted backup opens with its passphrase only, and tells nothing without', async (t) => {
  const identity = await openIdentity(freshFolder(t));
  const backup = encryptKeys(identity, 'caf\u00e9 au lait');
  assert.ok(!backup.includes(Buffer.from(identity.account.secret).toString('hex')));
  // The same passphrase, typed decomposed.
  assert.deepEqual(await readBackup(backup, async () => 'cafe\u0301 au lait'), identity);
  await assert.rejects(
    readBackup(backup, async () => 'cafe au lait'),
    (error) => isWorldError(error, 'passphrase-wrong'),
  );
});

test('a changed backup is refused, whatever was changed', async (t) => {
  const identity = await openIdentity(freshFolder(t));
  const whole = JSON.parse(encryptKeys(identity, 'passphrase'));
  for (const name of Object.keys(whole)) {
    const changed = { ...whole, [name]: typeof whole[name] === 'number' ? 2 : flipLast(whole[name]) };
    const read = readBackup(JSON.stringify(changed), async () => 'passphrase');
    await assert.rejects(
      read,
      (error) => isWorldError(error, 'backup-corrupt') || isWorldError(error, 'passphrase-wrong'),
      name,
    );
  }
  for (const text of ['', '{}', JSON.stringify(whole).slice(0, 200), JSON.stringify({ ...whole, salt: 'zz' })]) {
    await assert.rejects(
      readBackup(text, async () => 'passphrase'),
      (error) => isWorldError(error, 'backup-corrupt'),
    );
  }
});

function flipLast(text: string): string {
  return text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
}

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot-identity-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
