import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TaskList } from './task-list.ts';

test('a duty that failed is told and tried again as long as it is owed; one that is no longer owed is stopped', async () => {
  const troubles: unknown[] = [];
  let tries = 0;
  let isOwed = true;
  const duty = async () => {
    tries++;
    if (tries < 3) throw new Error(`trouble ${tries}`);
    isOwed = false;
  };
  const owed = () => new Map(isOwed ? [['duty', duty]] : []);
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const ended = new Promise<void>((resolve) => {
    const tasks = new TaskList(
      clock,
      (error) => troubles.push(error),
      () => (isOwed ? tasks.settle(owed()) : resolve()),
    );
    tasks.settle(owed());
    // What is under way is not begun a second time.
    tasks.settle(owed());
  });
  // Where nobody looks again, nothing is left to wait for: then this ends all the same.
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
  assert.equal(tries, 3);
  assert.deepEqual(troubles.map(String), ['Error: trouble 1', 'Error: trouble 2']);

  const signals: AbortSignal[] = [];
  const tasks = new TaskList(
    clock,
    () => {},
    () => {},
  );
  tasks.settle(new Map([['endless', (signal: AbortSignal) => new Promise(() => signals.push(signal))]]));
  assert.equal(signals[0]!.aborted, false);
  tasks.settle(new Map());
  assert.equal(signals[0]!.aborted, true);
});
