/** Whoever watches a log hears of an entry when it is on the disk: what a crash takes back, nobody has heard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '@folkmoot/core';
import { ScriptedMember, ScriptedRun, testCharter } from '@folkmoot/protocol/test-support';
import { Log } from './log.ts';

test('an entry is told when the disk has it, not before', async () => {
  const run = new ScriptedRun(testCharter(), [new ScriptedMember(1), new ScriptedMember(2)]);
  for (const member of run.members) run.join(member);
  let write: () => void = () => {};
  const journal: Journal = {
    count: 0,
    append: () =>
      new Promise((resolve) => {
        write = resolve;
      }),
    ...{ truncate: async () => {}, close: async () => {} },
    async *lines() {},
  };
  const log = await Log.open(run.state.charter, journal, { read: async () => undefined, write: async () => {} });
  const told: number[] = [];
  log.watch(({ index }) => told.push(index));
  const appended = log.append(run.entries[0]!);
  await new Promise(setImmediate);
  assert.deepEqual([log.length, log.durable, told], [1, -1, []]);
  write();
  await appended;
  assert.deepEqual([log.durable, told], [0, [0]]);
});
