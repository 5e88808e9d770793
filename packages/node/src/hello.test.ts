import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBytes, hashOf, utf8 } from '@folkmoot/core';
import { helloIn, MAX_ADDRESSES, MAX_TOLD, toTell, welcomeIn } from './hello.ts';

const RUN = hashOf('run');

test('a greeting and its answer are read as far as they make sense', () => {
  assert.deepEqual(helloIn(canonicalBytes({ run: RUN, addresses: ['a', 'b'] })), { run: RUN, addresses: ['a', 'b'] });
  for (const odd of ['', 'null', '7', '{"run":7,"addresses":{}}', '{"run":"x","addresses":[1,null,"\\ud800"]}'])
    assert.deepEqual(helloIn(utf8(odd)), { run: undefined, addresses: [] }, odd);
  const peer = { device: hashOf('peer'), addresses: ['a'] };
  assert.deepEqual(
    welcomeIn({ run: RUN, peers: [peer, null, 7, { device: 'x', addresses: ['a'] }, { ...peer, addresses: [] }] }),
    {
      run: RUN,
      peers: [peer],
    },
  );
  for (const odd of [null, 7, 'x', { run: {}, peers: 'x' }]) assert.deepEqual(welcomeIn(odd), { run: '', peers: [] });
});

test('what one message tells is bounded', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({
    device: hashOf(`peer ${i}`),
    addresses: Array(1000).fill('a'),
  }));
  const { peers } = welcomeIn({ run: RUN, peers: many });
  assert.equal(peers.length, MAX_TOLD);
  assert.ok(peers.every(({ addresses }) => addresses.length === MAX_ADDRESSES));
});

test('own addresses are told in the order in which others should try them', () => {
  const [near, house, relayed, own] = [
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/192.168.1.2/tcp/1',
    '/ip4/9.9.9.9/tcp/1/p2p/x/p2p-circuit',
    '/ip4/203.0.113.1/tcp/1',
  ];
  assert.deepEqual(toTell([near!, house!, relayed!, own!]), [own, house, relayed, near]);
  assert.equal(toTell(Array(20).fill(own!)).length, MAX_ADDRESSES);
});
