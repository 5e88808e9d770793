/**
 * A sequencer whose disk forgets: the end of the log, which it had called safe and others have seen, is gone after a crash.
 * Where the others can be asked, they know better; where they cannot, it contradicts itself provably, and loses its office.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, storyOf } from './sim-story.ts';

const LOST = 6;

async function forgetting(seed: string, awayMs: number): Promise<{ run: SimRun; others: SimPerson[] }> {
  const run = new SimRun(seed, simCharter());
  for (let i = 0; i < 5; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 2 && run.creator.state!.round.phase === 'train'));
  const others = run.people.slice(1);
  const { head } = run.creator.state!;
  assert.ok(await run.until(() => others.every(({ state }) => state!.head.index >= head.index)));
  run.crash(run.creator);
  run.creator.machine.disk.loseTail('log', LOST);
  await run.clock.run(run.clock.now() + awayMs);
  return { run, others };
}

for (const seed of ['forgets', 'forgets again', 'forgets once more'])
  test(`a sequencer that has forgotten the end of the log learns it from the others (${seed})`, async () => {
    const { run } = await forgetting(seed, 1000);
    await run.clock.drive(run.start(run.creator));
    const { finalized } = run.creator.state!;
    assert.ok(await run.until(() => run.people.every(({ state }) => state!.finalized >= finalized + 3)));
    const { events, state } = storyOf(run);
    assert.deepEqual([state.term, state.sequencer], [1, run.creator.id], 'it is still the sequencer');
    assert.ok(!events.some(({ kind }) => kind === 'fault'), 'nobody has contradicted itself');
    await checkAgreement(run);
  });

test('where nobody can be asked it signs a second end: that is provable, and the others go on without it', async () => {
  const { run, others } = await forgetting('forgets alone', 1000);
  run.hub.partition([run.creator.id]);
  await run.clock.drive(run.start(run.creator));
  // Alone it goes on from what it knows: the members that it takes for present do not answer.
  await run.clock.run(run.clock.now() + 10_000);
  const { finalized } = others[0]!.state!;
  run.hub.heal();
  assert.ok(await run.until(() => others.every(({ state }) => state!.finalized >= finalized + 3)));
  const events = others[0]!.events;
  const faults = events.flatMap((event) => (event.kind === 'fault' ? [event.device] : []));
  assert.deepEqual(
    [...new Set(faults)],
    [run.creator.id],
    'who has said two things, and nobody else, is proven to have',
  );
  assert.notEqual(others[0]!.state!.sequencer, run.creator.id);
  assert.ok(events.every((event) => event.kind !== 'forfeited'));
  for (const { state } of others) assert.equal(state!.lastHeader, others[0]!.state!.lastHeader);
  const mine = run.creator.events.flatMap((event) => (event.kind === 'finalized' ? [event.header] : []));
  const theirs = new Set(events.flatMap((event) => (event.kind === 'finalized' ? [event.header] : [])));
  for (const header of mine) assert.ok(theirs.has(header), 'no round ends in two ways');
});
