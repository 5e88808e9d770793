/** A member is killed at every moment that the protocol knows, comes back later, and nobody is the worse for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DisputeDuty, type Duty, duties } from '@folkmoot/protocol';
import type { RecordKind } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

type Kind = Exclude<Duty['kind'], 'ready' | 'answer' | 'reproduce' | 'score' | DisputeDuty['kind']>;

const ANSWERS: Record<Kind, RecordKind> = {
  train: 'commit',
  reveal: 'reveal',
  attest: 'attest',
  finalize: 'header',
  seal: 'seal',
  open: 'open',
  audit: 'result',
  close: 'close',
  judge: 'verdict',
};

/** Virtual milliseconds from the moment to the death, and from there to the new start: within deadlines and beyond. */
const DEATHS = [
  { afterMs: 0, awayMs: 1000 },
  { afterMs: 3, awayMs: 12_000 },
];

for (const [index, who] of ['the sequencer', 'another member'].entries())
  for (const kind of Object.keys(ANSWERS) as Kind[]) {
    test(`${who} dies when it begins to ${kind}, and when it has just said its ${ANSWERS[kind]}`, async () => {
      const run = new SimRun(`${who} ${kind}`, simCharter({ audit: { floorPpm: 1_000_000 } }));
      for (let i = 0; i < 3; i++) run.add();
      await run.startAll();
      const victim = run.people[index]!;
      for (const death of DEATHS) {
        await dieAndReturn(run, victim, death, () => owes(victim, kind));
        await dieAndReturn(run, victim, death, newlySaid(run, victim, ANSWERS[kind]));
      }
      checkStory(run);
      await checkAgreement(run);
      const { base } = run.creator.state!;
      const adopted = () => run.people.every((person) => person.machine.disk.artifacts.has(base));
      assert.ok(run.creator.state!.base !== base || (await run.until(adopted)), 'everybody holds the base');
    });
  }

/** Lets `victim` die so long after the moment, come back, and finish another round with everybody. */
async function dieAndReturn(
  run: SimRun,
  victim: SimPerson,
  { afterMs, awayMs }: (typeof DEATHS)[number],
  isMoment: () => boolean,
): Promise<void> {
  assert.ok(await run.until(isMoment, 600_000), 'the moment comes');
  await run.clock.run(run.clock.now() + afterMs);
  run.crash(victim);
  await run.clock.run(run.clock.now() + awayMs);
  await run.clock.drive(run.start(victim));
  const { finalized } = victim.state!;
  const caughtUp = () => run.people.every((person) => person.state!.finalized > finalized);
  assert.ok(await run.until(caughtUp, 600_000), `the run goes on: ${run.troubles().slice(-3)}`);
}

function owes(person: SimPerson, kind: Kind): boolean {
  return duties(person.state!, person.id).some((duty) => duty.kind === kind);
}

/** Whether the log holds a record of this kind by `person` that it does not hold now. */
function newlySaid(run: SimRun, person: SimPerson, kind: RecordKind): () => boolean {
  let next = run.creator.member!.log.length;
  return () => {
    const { log } = run.creator.member!;
    for (; next < log.length; next++) {
      const body = log.recordAt(next);
      if (body.kind === kind && body.device === person.id) return true;
    }
    return false;
  };
}
