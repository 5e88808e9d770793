import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { equalBytes, fromHex, toHex, utf8 } from './bytes.ts';
import * as noble from './crypto.noble.ts';
import * as node from './crypto.node.ts';
import {
  accountKey,
  deviceKey,
  deviceVouchDigest,
  signBytes,
  verifyBytes,
  vouchForDevice,
  vouchingAccount,
} from './keys.ts';

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });
const KEY = deviceKey(new Uint8Array(32));
const RUN = 'ab'.repeat(32);

test('both implementations hash, derive, sign and verify alike', () => {
  fc.assert(
    fc.property(secret, fc.uint8Array({ maxLength: 200 }), fc.uint8Array(), (seed, message, more) => {
      assert.equal(toHex(noble.sha256Bytes(message, more)), toHex(node.sha256Bytes(message, more)));
      const publicKey = node.ed25519PublicKey(seed);
      assert.deepEqual(noble.ed25519PublicKey(seed), publicKey);
      const signature = node.ed25519Sign(seed, message);
      assert.deepEqual(noble.ed25519Sign(seed, message), signature);
      for (const { ed25519Verify } of [noble, node]) {
        assert.equal(ed25519Verify(publicKey, message, signature), true);
        assert.equal(ed25519Verify(publicKey, Uint8Array.of(...message, 1), signature), false);
      }
    }),
    { numRuns: 30 },
  );
});

test('both refuse the same malformed signatures and keys, without an exception', () => {
  const message = utf8('message');
  const good = node.ed25519Sign(KEY.secret, message);
  const publicKey = fromHex(KEY.id);
  // s + ℓ is the same number modulo the group's order: accepted, it would make two signatures of one.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${toHex(good.slice(32).reverse())}`) + order;
  const malleable = fromHex(toHex(good.subarray(0, 32)) + toHex(fromHex(s.toString(16).padStart(64, '0')).reverse()));
  const cases: [Uint8Array, Uint8Array][] = [
    [publicKey, malleable],
    [publicKey, new Uint8Array(64)],
    [publicKey, new Uint8Array(64).fill(255)],
    [publicKey, good.subarray(0, 63)],
    [new Uint8Array(32).fill(255), good],
    [new Uint8Array(31), good],
    ...Array.from({ length: 64 }, (_, i): [Uint8Array, Uint8Array] => [
      publicKey,
      good.map((b, j) => (i === j ? b ^ 4 : b)),
    ]),
  ];
  for (const [key, signature] of cases)
    for (const { ed25519Verify } of [noble, node]) assert.equal(ed25519Verify(key, message, signature), false);
});

test('both refuse signatures with a part of small order, which only some verifiers take', () => {
  const { BASE, Fn } = ed25519.Point;
  const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  const message = utf8('message');
  const [a, r] = [12_345n, 777n];
  const tried = new Set<boolean>();
  for (let i = 0n; i < 12n; i++)
    for (const [key, nonce] of [
      [BASE.multiply(a + i), BASE.multiply(r).add(torsion)],
      [BASE.multiply(a + i).add(torsion), BASE.multiply(r)],
      [BASE.multiply(a + i), ed25519.Point.ZERO],
      [BASE.multiply(a + i), BASE.multiply(r)],
    ] as const) {
      const head = [nonce.toBytes(), key.toBytes()];
      const challenge = number(sha512(Uint8Array.of(...head[0]!, ...head[1]!, ...message))) % Fn.ORDER;
      const s = ((nonce === ed25519.Point.ZERO ? 0n : r) + challenge * (a + i)) % Fn.ORDER;
      const signature = Uint8Array.of(...head[0]!, ...fromHex(s.toString(16).padStart(64, '0')).reverse());
      const [byNoble, byNode] = [noble, node].map((each) => each.ed25519Verify(head[1]!, message, signature));
      assert.equal(byNoble, byNode);
      tried.add(byNode!);
    }
  assert.equal(tried.size, 2, 'some are good, some are not');
});

test('a device’s id and signature are those of RFC 8032, test 1', () => {
  const rfc = deviceKey(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
  assert.equal(rfc.id, 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  assert.equal(
    signBytes(rfc, new Uint8Array(0)),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
});

test('nothing malformed verifies', () => {
  const signature = signBytes(KEY, utf8('x'));
  assert.equal(verifyBytes(KEY.id, utf8('x'), signature), true);
  for (const [device, text] of [
    [KEY.id.toUpperCase(), signature],
    [KEY.id, signature.toUpperCase()],
    [KEY.id, ''],
    ['', signature],
    [`${KEY.id}00`, signature],
    [KEY.id, `${signature}00`],
  ] as const)
    assert.equal(verifyBytes(device, utf8('x'), text), false);
});

// Golden values of viem 2.57.1: hashTypedData and signTypedData of the same domain, types and message.
test('the vouch is the EIP-712 digest that a wallet computes, and its signature is a wallet’s', () => {
  assert.equal(KEY.id, '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29');
  const digest = toHex(deviceVouchDigest(KEY.id, RUN));
  assert.equal(digest, '394c28b7b9563fbf1db37a483a35c471f985188ca6e262587b3ba192508c39c6');
  const account = accountKey(new Uint8Array(32).fill(7));
  assert.equal(account.id, '0x4a62316623ad457f02cdc5d997ded67a383ec569');
  const vouch = vouchForDevice(account, KEY.id, RUN);
  const byViem =
    '71c1a2785e47d43bcf19b36b3e450dbbf8ebb4d7263a90b0ef32f4a3aacd5057' +
    '2b88fa1dfb5fbacbe14838b5616848937bb60271c2d789b97a87930bd7a06b2e1c';
  assert.equal(vouch, byViem);
  assert.equal(vouchingAccount(KEY.id, RUN, byViem), account.id);
});

test('a vouch for another device or run, or a damaged one, names another account or none', () => {
  const account = accountKey(new Uint8Array(32).fill(7));
  const vouch = vouchForDevice(account, KEY.id, RUN);
  const other = deviceKey(new Uint8Array(32).fill(9)).id;
  assert.notEqual(vouchingAccount(other, RUN, vouch), account.id);
  assert.notEqual(vouchingAccount(KEY.id, 'cd'.repeat(32), vouch), account.id);
  for (let i = 0; i < vouch.length; i++) {
    const damaged = vouch.slice(0, i) + (vouch[i] === '0' ? '1' : '0') + vouch.slice(i + 1);
    assert.notEqual(vouchingAccount(KEY.id, RUN, damaged), account.id, String(i));
  }
  for (const wrong of [
    '',
    vouch.slice(2),
    `${vouch}00`,
    vouch.toUpperCase().replace(/[0-9]/g, 'A'),
    `${'00'.repeat(65)}`,
  ])
    assert.equal(vouchingAccount(KEY.id, RUN, wrong), undefined);
});

test('accounts with impossible secrets are refused', () => {
  for (const byte of [0, 255]) assert.throws(() => accountKey(new Uint8Array(32).fill(byte)));
});

test('hexadecimal comes back as it went, and nothing else is taken', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => equalBytes(fromHex(toHex(bytes)), bytes)));
  for (const text of ['0', 'AB', 'xy', ' 00', '0x00']) assert.throws(() => fromHex(text), RangeError);
});

const number = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.slice().reverse())}`);
