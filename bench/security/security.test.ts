import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, SeededRandom } from '@folkmoot/core';
import { accuse, fitDistances, probabilityBeyond } from './accusations.ts';
import { bestReply } from './best-reply.ts';
import { bothFriends, roundsFound } from './detection.ts';
import { expectedProfit } from './expected-profit.ts';
import { meanOf, shareOf } from './intervals.ts';
import { play, policy } from './profit.ts';
import { STRATEGIES } from './strategies.ts';
import { row, withTable } from './tables.ts';

const native = (tolerancePpm: number) =>
  policy({ engine: { kind: 'native', tolerancePpm, calibration: hashOf('calibration') } });
/** As narrow as what was measured: the worst is twice the median. */
const MEASURED = { exact: Array.from({ length: 200 }, (_, i) => 3000 + 25 * i), native: [0, 0, 0] };

test('no strategy earns by rounds that it did not work, and nobody honest is harmed', () => {
  for (const strategy of STRATEGIES.filter(({ patient }) => !patient)) {
    const { paid, worked, honest } = play(strategy, 1, 40);
    assert.ok(paid <= worked, `${strategy.name}: ${paid} paid, ${worked} worked`);
    assert.deepEqual([honest.refused, honest.forfeited], [0, 0], strategy.name);
  }
});

test('whoever is honest until audits are rare stands to lose what it has locked', () => {
  const sleeper = STRATEGIES.find(({ stands }) => stands === 'sleeper')!;
  const charter = policy({ audit: { floorPpm: 250_000 } });
  const { lost, refused, honest } = play(sleeper, 1, 80, charter);
  assert.ok(refused > 0 && lost >= 4 * refused, `${lost} lost in ${refused} refusals`);
  assert.equal(honest.forfeited, 0);
});

test('no timing pays where every audit finds; where a refusal costs the round alone, a third more is paid', () => {
  const rule = { floor: 0.05, vestingRounds: 20, cost: 'all locked', finds: 1 } as const;
  assert.ok(Math.abs(bestReply(rule).profit) < 1e-4);
  assert.ok(bestReply({ ...rule, vestingRounds: 10 }).profit > 0.001);
  assert.ok(bestReply({ ...rule, cost: 'nothing else' }).profit > 0.3);
});

test('the formula’s profit is the average over many lives of one who throws dice', () => {
  const rules = { floor: 0.25, vestingRounds: 3 };
  const scheme = { cheats: (clean: number) => clean >= 2, saves: 1 / 4, found: 1 / 2 };
  const random = new SeededRandom(hashOf('dice'));
  const chance = (p: number) => random.uint32() / 2 ** 32 < p;
  const lives = Array.from({ length: 4000 }, () => {
    let [clean, stake, profit] = [0, 0, 0];
    for (let round = 0; round < 30; round++) {
      const isAudited = chance(Math.max(rules.floor, 1 / (1 + clean)));
      const isCheating = scheme.cheats(clean);
      if (isCheating && isAudited && chance(scheme.found)) {
        profit -= 1 - scheme.saves + stake;
        [clean, stake] = [0, 0];
        continue;
      }
      if (isCheating) profit += scheme.saves;
      if (isAudited) clean++;
      stake = Math.min(stake + 1, rules.vestingRounds);
    }
    return profit;
  });
  const { mean, margin } = meanOf(lives);
  assert.ok(Math.abs(expectedProfit(scheme, rules, 30) - mean) < 2 * margin, `${mean} ± ${margin}`);
});

test('false rounds are found as often as the formula says', () => {
  for (const { found, of, expected } of [roundsFound(1_000_000, 1, 60), bothFriends(9, 2, 3000)]) {
    const { low, high } = shareOf(found, of);
    assert.ok(low - 0.03 < expected && expected < high + 0.03, `${found} of ${of}, expected ${expected}`);
  }
});

test('of honest segments none is accused at ten times the worst that was measured, and some are at the worst itself', async () => {
  const fit = fitDistances(MEASURED);
  assert.ok(probabilityBeyond(fit, 80) < 1e-6);
  const wide = await accuse(fit, native(80), 20_000, 'test');
  assert.deepEqual([wide.within, wide.accused, wide.grave], [20_000, 0, 0]);
  const narrow = await accuse(fit, native(8), 20_000, 'test');
  assert.ok(narrow.accused > 0);
  const expected = probabilityBeyond(fit, 8) * 20_000;
  assert.ok(
    Math.abs(narrow.accused - expected) < 6 * Math.sqrt(expected) + 0.1 * expected,
    `${narrow.accused}, ${expected}`,
  );
});

test('the scale is that of the pair of engines that is furthest apart', () => {
  const apart = fitDistances({ ...MEASURED, webgpu: [2 * Math.max(...MEASURED.exact)] });
  assert.ok(Math.abs(apart.from / fitDistances(MEASURED).from - 2) < 1e-9);
});

test('intervals and tables are what they say', () => {
  const { mean, margin } = meanOf([1, 2, 3]);
  assert.ok(mean === 2 && Math.abs(margin - 4.3 / Math.sqrt(3)) < 1e-9);
  const { low, high } = shareOf(0, 100);
  assert.ok(low === 0 && high > 0.03 && high < 0.04);
  const text = 'a\n<!-- t -->\n| x |\n|---|\n| old |\n<!-- end -->\nb';
  assert.equal(withTable(text, 't', [row('1')]), 'a\n<!-- t -->\n| x |\n|---|\n| 1 |\n<!-- end -->\nb');
});
