import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHost, parsePort } from './door.ts';

test('a port is a whole number from 1 to 65535', () => {
  assert.equal(parsePort('--port', '1'), 1);
  assert.equal(parsePort('--port', '65535'), 65_535);
  for (const wrong of ['0', '65536', '-1', '80.5', 'http', '', '1e9'])
    assert.throws(() => parsePort('--http', wrong), { code: 'bad-number', message: /--http takes a port/ }, wrong);
});

test('a host to listen at is an IP address', () => {
  for (const right of ['0.0.0.0', '127.0.0.1', '::', 'fe80::1']) assert.equal(parseHost(right), right);
  for (const wrong of ['nonsense', 'localhost', '1.2.3', '300.1.1.1', '/ip4/1.2.3.4', ''])
    assert.throws(() => parseHost(wrong), { code: 'address-invalid' }, wrong);
});
