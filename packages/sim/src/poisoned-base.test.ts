/**
 * What a third of poisoners does to the base: real tensors, real aggregation, production members. Their rounds are refused after
 * the update has entered the base, so what keeps the base whole is the aggregator alone, round after round.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES, type AdversaryName } from '@folkmoot/adversaries';
import { realTraining } from './real-training.ts';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';
import { checkStory } from './sim-story.ts';

const HONEST = 4;
const ROUNDS = 5;

/** Hold-out loss of the first and of the last base of a run with `liars` beside the honest. */
async function losses(liars: readonly AdversaryName[]): Promise<{ first: number; last: number; included: number }> {
  const seed = 'poisoned base';
  const real = await realTraining(seed);
  const run = new SimRun(seed, simCharter(), {}, (clock) => real.in(clock));
  for (let i = 0; i < HONEST; i++) run.add();
  const cheats = liars.map((name) => run.add({ conduct: ADVERSARIES[name].conduct() }));
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= ROUNDS), run.troubles().join('\n'));
  const { machine, state } = run.creator;
  const work = real.in(run.clock).workOf(run.clock, run.charter);
  const lossOf = (id: string) => run.clock.drive(work.evaluate(machine.disk.artifacts.get(id)!));
  const first = await lossOf(run.charter.initialBase);
  const last = await lossOf(state!.base);
  const honest = run.people.filter((person) => !cheats.includes(person));
  const { events } = checkStory(run, honest);
  const ids = cheats.map(({ id }) => id);
  const included = events.flatMap((event) =>
    event.kind === 'finalized' ? event.trainers.filter((trainer) => ids.includes(trainer)) : [],
  ).length;
  await real.close();
  return { first, last, included };
}

test('two poisoners among six leave nine tenths of what was learned', async () => {
  const without = await losses([]);
  const learned = without.first - without.last;
  assert.ok(learned > 0.1, `learned ${learned}`);
  for (const name of ['poisoner', 'sign-flipper'] as const) {
    const { first, last, included } = await losses([name, name]);
    assert.equal(first, without.first);
    assert.ok(included > 0, 'their updates reach the aggregator');
    assert.ok(first - last > 0.9 * learned, `${name}: learned ${first - last} of ${learned}`);
  }
});
