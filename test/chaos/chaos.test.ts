/** Real processes under blows for about two minutes; `./folkmoot chaos --for 8h` goes on for longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '@folkmoot/core';
import { BLOWS, nextBlow } from './blows.ts';
import { chaos } from './chaos.ts';

test('killed, stopped, cut off, delayed, and the founder gone for ever: rounds go on, all agree, a newcomer joins', async () => {
  const result = await chaos({ seed: 'ci', members: 4, forMs: 60_000, kinds: BLOWS, founderDies: true });
  // How many depends on how soon members are back; one falls before the founder's death, and one after it.
  assert.ok(Object.values(result.blows).reduce((a, b) => a + b) >= 2, 'blows fell');
  assert.ok(result.rounds >= 4);
});

test('blows follow from the seed, and never hit more than they may', () => {
  const names = ['ana', 'ben', 'cleo', 'dara', 'emil', 'fay', 'gus'];
  const deal = (seed: string) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 200 }, () => nextBlow(random, names, 2, BLOWS));
  };
  const facts = (seed: string) => deal(seed).map(({ kind, victims, forMs }) => ({ kind, victims, forMs }));
  assert.deepEqual(facts('a'), facts('a'));
  assert.notDeepEqual(facts('a'), facts('b'));
  assert.deepEqual(new Set(facts('a').map(({ kind }) => kind)), new Set(BLOWS));
  for (const { victims } of facts('a')) {
    assert.ok(victims.length >= 1 && victims.length <= 2);
    assert.equal(new Set(victims).size, victims.length);
  }
});
