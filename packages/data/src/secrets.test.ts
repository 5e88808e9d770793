import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsSecret, isKeyLikeName } from './secrets.ts';

test('names of keys and passwords', () => {
  const keys = [
    'id_rsa',
    'id_ed25519.pub',
    'Server.PEM',
    'tls.key',
    '.env',
    '.env.local',
    'prod.env',
    'credentials',
    'credentials.json',
    'secrets.yaml',
    '.npmrc',
    '.netrc',
    'wallet-1.json',
    'service-account.json',
    'a.p12',
  ];
  for (const name of keys) assert.ok(isKeyLikeName(name), name);
  const plain = [
    'README.md',
    'env.ts',
    'keys.ts',
    'secrets.ts',
    'secret-sharing.md',
    'environment.txt',
    'key.md',
    'monkey.txt',
    'package.json',
  ];
  for (const name of plain) assert.ok(!isKeyLikeName(name), name);
});

test('contents in the shape of keys', () => {
  // In parts, so that this file is not taken for one that holds keys.
  const letters = 'aB3'.repeat(20);
  const secrets = [
    `-----BEGIN ${'OPENSSH PRIVATE'} KEY-----`,
    `-----BEGIN ${'PRIVATE'} KEY-----`,
    `AKIA${'ABCDEFGH12345678'}`,
    `ghp_${letters.slice(0, 36)}`,
    `github_pat_${letters}`,
    `npm_${letters.slice(0, 36)}`,
    `sk-${letters}`,
    `sk-proj-${letters}`,
    `sk_live_${letters}`,
    `xoxb-${letters}`,
    `AIza${letters}`,
  ];
  for (const secret of secrets) assert.ok(holdsSecret(`before ${secret} after`), secret);
  const plain = [
    '-----BEGIN PUBLIC KEY-----',
    'ghp_xxxx',
    'task-management-of-long-running-processes-here',
    'sk-circle-loading-indicator-animation-delay',
    'AKIA…',
  ];
  for (const text of plain) assert.ok(!holdsSecret(text), text);
});
