/** A process's life: paused, killed at any await, with a wrong clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from './sim-clock.ts';
import { Life } from './sim-life.ts';

test('a paused process does nothing, and goes on where it was when it is resumed', async () => {
  const clock = new SimClock();
  const life = new Life();
  const own = life.clock(clock);
  const ticks: number[] = [];
  void (async () => {
    for (;;) {
      await own.sleep(100);
      ticks.push(clock.now());
    }
  })();
  const startMs = clock.now();
  await clock.run(startMs + 250);
  life.pause();
  await clock.run(startMs + 1000);
  assert.equal(ticks.length, 2);
  life.resume();
  await clock.run(startMs + 1250);
  assert.deepEqual(
    ticks.map((ms) => ms - startMs),
    [100, 200, 1000, 1100, 1200],
  );
});

test('a fuse kills a process at the await that it was set to, with what was begun there under way', async () => {
  for (const awaits of [1, 2, 3]) {
    const clock = new SimClock();
    const life = new Life();
    const done: number[] = [];
    let begun = 0;
    life.lightFuse(awaits, () => life.end());
    void (async () => {
      for (let i = 0; i < 5; i++) {
        await life.attempt(async () => {
          begun++;
        });
        done.push(i);
      }
    })();
    await clock.run(clock.now() + 10);
    assert.equal(begun, awaits);
    assert.equal(done.length, awaits - 1);
  }
});

test('a clock that is ahead and fast says so, and its sleeps are short', async () => {
  const clock = new SimClock();
  const skew = { offsetMs: 5000, fastPpm: 50_000 };
  const own = new Life().clock(clock, skew);
  const startMs = clock.now();
  assert.equal(own.now(), startMs + 5000);
  const slept = own.sleep(10_500).then(() => clock.now() - startMs);
  await clock.run(startMs + 20_000);
  assert.equal(await slept, 10_000);
  assert.equal(own.now(), startMs + 20_000 + 5000 + 1000);
});

test('nothing runs in a life that is over, though it was held back while it was paused', () => {
  const life = new Life();
  let ran = 0;
  life.pause();
  life.whenAwake(() => ran++);
  life.end();
  life.resume();
  assert.equal(ran, 0);
});
