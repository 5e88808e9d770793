import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SIM_START_MS, SimClock } from './sim-clock.ts';

test('events happen by time, then in the order of scheduling', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 20 }), { maxLength: 60 }), async (delays) => {
      const clock = new SimClock();
      const seen: [number, number][] = [];
      delays.forEach((delayMs, i) => {
        clock.schedule(delayMs, () => seen.push([clock.now() - SIM_START_MS, i]));
      });
      await clock.run(SIM_START_MS + 20);
      const expected = delays.map((delayMs, i) => [delayMs, i]).sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
      assert.deepEqual(seen, expected);
    }),
    { numRuns: 50 },
  );
});

test('everything that follows from an event happens before time moves', async () => {
  const clock = new SimClock();
  const seen: string[] = [];
  clock.schedule(10, async () => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
    seen.push(`long chain at ${clock.now() - SIM_START_MS}`);
  });
  clock.schedule(11, () => seen.push('next'));
  await clock.run(SIM_START_MS + 11);
  assert.deepEqual(seen, ['long chain at 10', 'next']);
});

test('sleeping ends in time, or with the reason of the signal', async () => {
  const clock = new SimClock();
  await clock.drive(clock.sleep(5_000));
  assert.equal(clock.now(), SIM_START_MS + 5_000);
  const controller = new AbortController();
  const sleeping = clock.sleep(1_000, controller.signal);
  controller.abort(new Error('woken'));
  await assert.rejects(sleeping, /woken/);
  await assert.rejects(clock.sleep(1, controller.signal), /woken/);
  assert.equal(await clock.runUntil(() => false, SIM_START_MS + 100_000), false);
  assert.equal(clock.now(), SIM_START_MS + 5_000, 'the cancelled event does not move time');
});

test('real work stands still in virtual time and ends in the order of its beginning', async () => {
  const clock = new SimClock();
  const seen: string[] = [];
  const real = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
  clock.schedule(1, () => {
    clock.outside(real(30)).then(() => seen.push(`slow at ${clock.now() - SIM_START_MS}`));
    clock.outside(real(1)).then(() => seen.push(`fast at ${clock.now() - SIM_START_MS}`));
  });
  clock.schedule(2, () => seen.push('later'));
  await clock.run(SIM_START_MS + 2);
  assert.deepEqual(seen, ['slow at 1', 'fast at 1', 'later']);
});

test('a task that can never end is reported', async () => {
  await assert.rejects(new SimClock().drive(new Promise(() => {})), /stands still/);
});
