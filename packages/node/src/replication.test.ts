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
  const told: string[] = [];
  for await (const message of handler!('peer', canonicalBytes({ run, from: 0 }), stop.signal)) {
    told.push(message.length === 0 ? 'that is all' : `entry ${message[0]}`);
    if (told.at(-1) === 'that is all' || told.length > 4) break;
  }
  stop.abort();
  assert.deepEqual(told, ['entry 0', 'entry 1', 'that is all']);
});
