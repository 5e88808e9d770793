import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, canonicalBytes, type Network } from '@folkmoot/core';
import type { Log } from './log.ts';
import { serveLog } from './replication.ts';

type Handler = (peer: string, request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array>;

test('only what is on disk is told: a crash must not take back what others have seen', async () => {
  const run = 'a'.repeat(64);
  // Three entries are in memory, and two of them on disk.
  const log = {
    ...{ state: { run }, length: 3, durable: 1, turns: 0 },
    bytesAt: (index: number) => Uint8Array.of(index),
    watch: () => () => {},
  };
  let handler: Handler | undefined;
  const network = { serve: (_name: string, serving: Handler) => void (handler = serving) };
  const clock = { sleep: () => new Promise(() => {}) };
  serveLog(network as unknown as Network, log as unknown as Log, clock as unknown as Clock);
  const stop = new AbortController();
  const messages = handler!('peer', canonicalBytes({ run, from: 0 }), stop.signal)[Symbol.asyncIterator]();
  const next = async () => [...((await messages.next()).value as Uint8Array)];
  assert.deepEqual([await next(), await next(), await next()], [[0], [1], []], 'two entries, and that this is all');
  // What comes without waiting for anything would have come by then.
  const more = await Promise.race([next(), new Promise((resolve) => setImmediate(resolve, 'nothing'))]);
  stop.abort();
  assert.equal(more, 'nothing');
});
