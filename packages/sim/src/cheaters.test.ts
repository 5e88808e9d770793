import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHEATERS, type CheaterName } from '@folkmoot/adversaries';
import { balanceOf, explain } from '@folkmoot/ledger';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';
import { checkStory } from './sim-story.ts';

/** What the reason must say: which evidence convicts whom. */
const REASONS: Record<CheaterName, RegExp> = {
  'free-rider': /segment \d came out differently when .* and .* re-executed it: first differing tensor pretended/,
  copycat: /segment \d came out differently when .* and .* re-executed it: first differing tensor pretended/,
  poisoner: /the update is not the encoding of its state when .* and .* re-executed it/,
  'forged-feedback': /the update is not the encoding of its state when .* and .* re-executed it/,
};

for (const name of Object.keys(CHEATERS) as CheaterName[])
  for (const count of [3, 4])
    test(`one ${name} among ${count} earns nothing, with evidence; everybody else is paid`, async () => {
      const run = new SimRun(`${name} ${count}`, simCharter());
      for (let i = 1; i < count; i++) run.add();
      const cheat = run.add({ conduct: CHEATERS[name] });
      await run.startAll();
      const isOver = () => run.creator.state!.finalized >= 5;
      assert.ok(await run.until(isOver), run.troubles().slice(-5).join('\n'));
      const honest = run.people.filter((person) => person !== cheat);
      const { settlements, state } = checkStory(run, honest);
      assert.equal(balanceOf(state.ledger, cheat.account.id).earned, 0);
      const fates = settlements.filter(({ device }) => device === cheat.id);
      assert.ok(fates.length >= 2);
      for (const fate of fates) assert.ok(['mismatch', 'tainted'].includes(fate.outcome), fate.outcome);
      const convicted = fates.find(({ outcome }) => outcome === 'mismatch')!;
      const reason = explain(convicted, 0);
      assert.match(reason, REASONS[name]);
      for (const id of [convicted.evidence.commit!, ...convicted.evidence.verdicts!])
        assert.ok(reason.includes(id.slice(0, 10)));
      for (const person of honest) assert.ok(balanceOf(state.ledger, person.account.id).earned > 0);
    });

test('two different cheaters among five earn nothing', async () => {
  const run = new SimRun('two cheaters', simCharter());
  for (let i = 0; i < 3; i++) run.add();
  const cheats = [run.add({ conduct: CHEATERS['free-rider'] }), run.add({ conduct: CHEATERS['forged-feedback'] })];
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 5));
  const { state } = checkStory(run, run.people.slice(0, 3));
  for (const cheat of cheats) assert.equal(balanceOf(state.ledger, cheat.account.id).earned, 0);
});
