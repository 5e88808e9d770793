import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balanceOf } from '@folkmoot/ledger';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';

test('three members on a good network finish rounds and agree on the base', async () => {
  const run = new SimRun('good', simCharter());
  for (let i = 0; i < 3; i++) run.add();
  await run.startAll();
  const done = await run.until(() => run.people.every((person) => person.state!.finalized >= 4));
  assert.ok(done, run.troubles().slice(0, 10).join('\n'));
  const [first] = run.people;
  for (const person of run.people) assert.equal(person.state!.finalized >= 4, true);
  assert.deepEqual(run.troubles(), []);
  await run.until(() => Object.keys(first!.state!.audits).length === 0);
  for (const person of run.people) assert.ok(balanceOf(first!.state!.ledger, person.account.id).earned > 0);
});
