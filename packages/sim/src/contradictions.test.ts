/** Who says two things for one place is found by whoever hears both; whoever crashes repeats itself and is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES, serving } from '@folkmoot/adversaries';
import { canonicalBytes } from '@folkmoot/core';
import { type Conduct, trainHonestly } from '@folkmoot/node';
import { parseRecord, type VerifiedRecord } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';
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

test('who crashes before the log has it repeats itself word for word, though its next life comes to other bits', async () => {
  const { timing } = simCharter();
  // Time enough to work anew.
  const run = new SimRun('forgetful', simCharter({ timing: { ...timing, graceMs: 30_000 } }));
  /** All that the creator was told, by place. It refuses each commit of `fickle` once, as a sequencer may that lies. */
  const heard = new Map<string, Set<string>>();
  const deaf: Conduct = {
    network: (network) =>
      serving(
        network,
        'submit',
        (honest) =>
          async function* (peer, request, signal) {
            const record = parseRecord(request);
            if (record.ok && note(record.value)) yield canonicalBytes({ accepted: false, reason: 'not now' });
            else yield* honest(peer, request, signal);
          },
      ),
  };
  const note = ({ body }: VerifiedRecord): boolean => {
    if (body.kind !== 'commit' || body.device !== fickle.id) return false;
    const place = `${body.term} ${body.round}`;
    const isNew = !heard.has(place);
    heard.set(place, (heard.get(place) ?? new Set()).add(body.blind));
    return isNew;
  };
  run.add({ conduct: deaf });
  for (let i = 0; i < 2; i++) run.add();
  // An engine that never gives the same bits twice.
  let lives = 0;
  const fickle = run.add({
    conduct: {
      offer: async (bench, duty, signal) => {
        const offer = await trainHonestly(bench, duty, signal);
        return { ...offer, update: offer.update.with(-1, ++lives) };
      },
    },
  });
  run.watch = (person, notice) => assert.notEqual(notice.kind, 'contradiction-proven', `${person.name} accuses`);
  await run.startAll();
  for (let turn = 1; turn <= 3; turn++) {
    assert.ok(await run.until(() => heard.size === turn, 240_000));
    run.crash(fickle);
    await run.clock.drive(run.start(fickle));
    assert.ok(await run.until(() => run.creator.state!.finalized >= turn, 240_000));
  }
  for (const [place, blinds] of heard) assert.equal(blinds.size, 1, `term and round ${place}`);
  assert.ok(lives >= 3);
});
