/** Who says two things for one place is found by whoever hears both; whoever crashes repeats itself and is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES } from '@folkmoot/adversaries';
import { sha256 } from '@folkmoot/core';
import { trainHonestly } from '@folkmoot/node';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const isFault = (device: string) => (event: { kind: string; device?: string }) =>
  event.kind === 'fault' && event.device === device;

test('an equivocator whose second record is refused each time is proven at fault, by one record', async () => {
  const run = new SimRun('two stories', simCharter());
  for (let i = 0; i < 4; i++) run.add();
  const liar = run.add({ name: 'liar', conduct: ADVERSARIES.equivocator.conduct() });
  await run.startAll();
  const honest = run.people.filter((person) => person !== liar);
  const known = () => honest.every((person) => person.events.some(isFault(liar.id)));
  assert.ok(await run.until(known, 120_000), run.troubles().join('; '));
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => honest.every(({ state }) => state!.finalized >= finalized + 2)));
  const { events, state } = checkStory(run, honest);
  assert.equal(events.filter(isFault(liar.id)).length, 1);
  assert.ok(state.members[liar.id]!.banned);
  await checkAgreement(run, honest);
});

test('who crashes between keeping and saying repeats itself, though its next life would have come to other bits', async () => {
  const run = new SimRun('forgetful', simCharter());
  for (let i = 0; i < 3; i++) run.add();
  // An engine that never gives the same bits twice.
  let lives = 0;
  const fickle = run.add({
    name: 'fickle',
    conduct: {
      offer: async (bench, duty, signal) => {
        const offer = await trainHonestly(bench, duty, signal);
        return { ...offer, update: offer.update.map((byte, i) => (i === offer.update.length - 1 ? ++lives : byte)) };
      },
    },
  });
  run.watch = (person, notice) => assert.notEqual(notice.kind, 'contradiction-proven', `${person.name} accuses`);
  await run.startAll();
  const kept = (person: SimPerson) =>
    [...person.machine.disk.cells]
      .filter(([name]) => /^(trace|audit)-/.test(name))
      .map(([name, bytes]) => name + sha256(bytes));
  let crashes = 0;
  for (let turn = 0; turn < 12; turn++) {
    const before = kept(fickle).join();
    assert.ok(await run.until(() => kept(fickle).join() !== before, 120_000));
    crashes++;
    run.crash(fickle);
    await run.clock.drive(run.start(fickle));
  }
  assert.ok(await run.until(() => run.creator.state!.finalized >= 4));
  assert.ok(crashes === 12 && lives < 12, 'crashes did not make it work anew each time');
  checkStory(
    run,
    run.people.filter((person) => person !== fickle),
  );
  for (const person of run.people) assert.ok(!person.events.some(isFault(fickle.id)));
});
