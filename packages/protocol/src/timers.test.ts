import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { initialState } from './index.ts';
import { testCharter } from './scripted.test-support.ts';
import type { Timer } from './state.ts';
import { addTimer, takeTimer } from './timers.ts';

const timer = fc.record({
  atMs: fc.nat(20),
  key: fc.constantFrom('a', 'b', 'c'),
  stage: fc.constantFrom('opening' as const, 'judging' as const),
  auditor: fc.constantFrom('x', 'y'),
});
const step = fc.oneof(timer, fc.nat(25));

test('timers come in order of their time, as from a sorted list, and never before it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = initialState(testCharter());
      const twin: Timer[] = [];
      for (const each of steps) {
        if (typeof each !== 'number') {
          addTimer(state, each);
          twin.push(each);
          continue;
        }
        twin.sort((a, b) => a.atMs - b.atMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
        const due = twin[0] && twin[0].atMs <= each ? twin[0] : undefined;
        const taken = takeTimer(state, each);
        assert.deepEqual(taken && [taken.atMs, taken.key], due && [due.atMs, due.key]);
        if (taken)
          twin.splice(
            twin.findIndex((other) => same(other, taken)),
            1,
          );
        assert.equal(state.timers.length, twin.length);
      }
    }),
    { numRuns: 500 },
  );
});

const same = (a: Timer, b: Timer) => JSON.stringify(a) === JSON.stringify(b);
