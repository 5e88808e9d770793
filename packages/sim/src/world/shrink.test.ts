import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLines } from './report.ts';
import { planOf } from './seeds.ts';
import { shrink, without } from './shrink.ts';

const CRASH = { nemesis: 'crash', atMs: 20_000, lastsMs: 8000, victims: [2], force: 3 };
const PLAN = { ...planOf('7', { members: 5, nemeses: ['loss', 'delay', 'pause'], adversaries: {} }), chaosMs: 40_000 };
const FULL = { ...PLAN, blows: [...PLAN.blows, CRASH, ...PLAN.blows] };

test('what is left of a plan is what it takes to fail', async () => {
  let tried = 0;
  const smallest = await shrink(FULL, async ({ blows, members }) => {
    tried++;
    const crash = blows.find(({ nemesis }) => nemesis === 'crash');
    return crash !== undefined && members[crash.victims[0]!] !== undefined && members.length >= 3;
  });
  assert.equal(smallest.blows.length, 1);
  assert.equal(smallest.members.length, 3);
  assert.deepEqual(smallest.weather, {});
  assert.ok(Object.values(smallest.rules).every((rule) => !rule));
  assert.ok(smallest.blows[0]!.lastsMs < CRASH.lastsMs && smallest.chaosMs <= 5000 && smallest.rounds === 1);
  assert.ok(tried <= 80);
  assert.match(planLines(smallest).join('\n'), /crash on \w+ for/);
});

test('a failure that needs nothing leaves nothing; one that needs all keeps all', async () => {
  assert.deepEqual((await shrink(FULL, async () => true)).blows, []);
  assert.equal(await shrink(FULL, async (plan) => plan === FULL), FULL);
});

test('when a member goes, blows name the others as before, and those that were for it alone go too', () => {
  const plan = { ...FULL, blows: [CRASH, { ...CRASH, victims: [3] }, { ...CRASH, victims: [1, 2] }] };
  assert.deepEqual(
    without(plan, 2).blows.map(({ victims }) => victims),
    [[2], [1]],
  );
  assert.deepEqual(
    without(plan, 2).members.map(({ name }) => name),
    ['ana', 'ben', 'dina', 'emil'],
  );
});

test('one seed, one plan', () => {
  assert.deepEqual(planOf('12'), planOf('12'));
  assert.notDeepEqual(planOf('12'), planOf('13'));
});
