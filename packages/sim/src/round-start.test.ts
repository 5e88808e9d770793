/** Runs with momentum, and with trainers that start ahead of the base: nobody has more than two bases and its own memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES } from '@folkmoot/adversaries';
import { balanceOf } from '@folkmoot/ledger';
import { type Offering, trainHonestly } from '@folkmoot/node';
import { realTraining } from './real-training.ts';
import { simCharter } from './sim-charter.ts';
import type { SimClock } from './sim-clock.ts';
import { SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';
import type { Training } from './training.ts';

const { aggregator, codec } = simCharter();
assert.ok(codec.kind === 'sparse');
const MOVING = simCharter({
  aggregator: { ...aggregator, outerRate: '0.7', momentum: '0.6' },
  codec: { ...codec, ahead: '0.5', aheadFrom: 3 },
  audit: { floorPpm: 1_000_000 },
});

test('I8: whoever joins a run with momentum needs two bases, and comes to the same next one', async () => {
  const run = new SimRun('momentum', MOVING);
  for (let i = 0; i < 3; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 3));
  const joiner = run.add();
  await run.clock.drive(run.start(joiner));
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => run.creator.state!.finalized >= finalized + 4), run.troubles().slice(-5).join('\n'));
  const { settlements } = checkStory(run);
  await checkAgreement(run);
  const adopted = joiner.notices.filter(({ kind }) => kind === 'adopted');
  assert.ok(adopted.length >= 3, 'it computes bases itself');
  for (const person of run.people) {
    const paid = settlements.filter(({ device, segments }) => device === person.id && segments > 0);
    assert.ok(paid.length > 0 && paid.every(({ outcome }) => outcome === 'matched'));
  }
  const { base, previous } = joiner.state!;
  for (const id of [base, previous]) {
    const mine = await run.clock.drive(joiner.member!.artifacts.get(id, { maxBytes: 64 }));
    assert.deepEqual(mine, await run.clock.drive(run.creator.member!.artifacts.get(id, { maxBytes: 64 })));
  }
});

test('in earnest, on the exact engine: auditors come to the same starts, and to the same bits', async () => {
  const real = await realTraining('round start');
  const { aggregator, codec } = MOVING;
  const training = (clock: SimClock): Training => {
    const dense = real.in(clock);
    return { ...dense, charterOf: (charter) => ({ ...dense.charterOf(charter), aggregator, codec }) };
  };
  try {
    const run = new SimRun('earnest', MOVING, {}, training);
    for (let i = 0; i < 3; i++) run.add();
    await run.startAll();
    assert.ok(await run.until(() => run.creator.state!.finalized >= 5), run.troubles().slice(-5).join('\n'));
    const { settlements, state } = checkStory(run);
    assert.ok(settlements.some(({ round }) => round >= 4));
    for (const { outcome, round } of settlements) assert.equal(outcome, 'matched', `round ${round}`);
    assert.notEqual(Object.values(state.members)[0]!.carry.error, run.charter.zeroError);
  } finally {
    await real.close();
  }
});

/** Trains from the base itself, as if there were neither momentum nor memory. */
const fromTheBase: Offering = async (bench, duty, signal) =>
  trainHonestly(
    {
      ...bench,
      charter: { ...bench.charter, codec: { kind: 'dense', block: 4096 } },
      bases: Object.assign(Object.create(bench.bases), {
        start: (state: never, { base }: { base: string }, given?: AbortSignal) => bench.bases.get(state, base, given),
        adopted: (base: string, given: AbortSignal) => bench.bases.adopted(base, given),
      }),
    },
    duty,
    signal,
  );

for (const [what, conduct] of [
  ['starts elsewhere', { offer: fromTheBase }],
  ['invents its error memory', ADVERSARIES['forged-feedback'].conduct()],
] as const)
  test(`who ${what} is refused, and everybody else is paid`, async () => {
    const run = new SimRun(`momentum, ${what}`, MOVING);
    for (let i = 0; i < 3; i++) run.add();
    const cheat = run.add({ conduct });
    await run.startAll();
    assert.ok(await run.until(() => run.creator.state!.finalized >= 5), run.troubles().slice(-5).join('\n'));
    const honest = run.people.filter((person) => person !== cheat);
    const { state, settlements } = checkStory(run, honest);
    // The first round has no base before it and no memory: everybody starts at the base.
    const fates = settlements.flatMap(({ device, round, outcome }) =>
      device === cheat.id && round > 1 ? [outcome] : [],
    );
    assert.ok(fates.includes('mismatch') && fates.every((fate) => fate === 'mismatch' || fate === 'tainted'));
    for (const person of honest) assert.ok(balanceOf(state.ledger, person.account.id).earned > 0);
  });
