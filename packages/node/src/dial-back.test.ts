import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, canonicalBytes, fromUtf8, type Handler, type Network, utf8 } from '@folkmoot/core';
import { addressesIn, dialledBackIn, MAX_DIALLED, serveDialBack } from './dial-back.ts';

test('an asker learns where it is seen, whether it is reached, and the time; few addresses are tried, at its own place', async () => {
  const probed: [string, string][] = [];
  let handler: Handler | undefined;
  const network = { hostOf: () => '203.0.113.9', serve: (_: string, given: Handler) => void (handler = given) };
  const probe = async (address: string, _timeoutMs: number, place: string) => {
    probed.push([address, place]);
    return address === 'b';
  };
  serveDialBack(network as unknown as Network, { now: () => 77 } as Clock, probe);
  const ask = async (request: Uint8Array) => {
    for await (const answer of handler!('peer', request, new AbortController().signal))
      return dialledBackIn(JSON.parse(fromUtf8(answer)));
    return undefined;
  };
  const addresses = ['a', 'b', 'c', 'd', 'e', 'f'];
  assert.deepEqual(await ask(canonicalBytes({ addresses })), {
    from: '203.0.113.9',
    atMs: 77,
    reached: ['a', 'b', 'c', 'd'].map((address) => ({ address, answers: address === 'b' })),
  });
  assert.deepEqual(
    probed,
    ['a', 'b', 'c', 'd'].map((address) => [address, '203.0.113.9']),
  );
  assert.deepEqual((await ask(utf8('nonsense')))?.reached, []);
});

test('odd requests and answers are nothing', () => {
  for (const odd of ['', 'null', '[]', '{"addresses":7}', '{"addresses":[1,null,{}]}'])
    assert.deepEqual(addressesIn(utf8(odd)), []);
  assert.equal(addressesIn(canonicalBytes({ addresses: Array(50).fill('x') })).length, MAX_DIALLED);
  const fine = { from: 'x', atMs: 1, reached: [] };
  assert.deepEqual(dialledBackIn(fine), fine);
  for (const odd of [null, 7, {}, { ...fine, from: 7 }, { ...fine, atMs: 1.5 }, { ...fine, reached: 'x' }])
    assert.equal(dialledBackIn(odd), undefined);
  assert.deepEqual(dialledBackIn({ ...fine, reached: [null, { address: 'a', answers: 'yes' }] })?.reached, []);
});
