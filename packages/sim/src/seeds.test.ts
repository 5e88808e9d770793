/**
 * Many small worlds, each from its seed: first chaos, in which nothing wrong may happen, then a healed world, in which
 * every honest member finishes and is paid. A failure names the seed: `FOLKMOOT_SEED=17` repeats it alone,
 * `FOLKMOOT_SEEDS=500` looks at more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES, CHEATER_NAMES } from '@folkmoot/adversaries';
import { below, SeededRandom } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { simCharter } from './sim-charter.ts';
import type { Conditions } from './sim-link.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const WEATHERS: Partial<Conditions>[] = [
  {},
  { loss: 0.01 },
  { delayMs: { min: 20, max: 1500 } },
  { loss: 0.005, delayMs: { min: 5, max: 300 } },
];
const ROUNDS = 3;

for (const seed of seeds())
  test(`seed ${seed}`, async () => {
    const random = new SeededRandom(`seed ${seed}`);
    const run = new SimRun(`seed ${seed}`, simCharter());
    for (let i = 0; i < 4; i++) run.add();
    // Every other world has a cheat in it; four honest members judge it.
    const { conduct } = ADVERSARIES[CHEATER_NAMES[below(random, CHEATER_NAMES.length)]!];
    const cheat = below(random, 2) === 0 ? run.add({ conduct: conduct() }) : undefined;
    const honest = run.people.filter((person) => person !== cheat);
    await run.startAll();
    run.hub.change(WEATHERS[below(random, WEATHERS.length)]!);
    for (let blow = 0; blow < 4; blow++) {
      await run.clock.run(run.clock.now() + below(random, 20_000));
      NEMESES[below(random, NEMESES.length)]!(run, run.people[below(random, run.people.length)]!, random);
    }
    checkStory(run, honest);
    await heal(run);
    const { finalized } = run.creator.state!;
    const done = () => run.people.every((person) => person.state && person.state.finalized >= finalized + ROUNDS);
    assert.ok(await run.until(done, 1_800_000), run.troubles().slice(-5).join('\n'));
    const { state } = checkStory(run, honest);
    await checkAgreement(run);
    for (const person of honest) assert.ok(balanceOf(state.ledger, person.account.id).earned > 0, 'paid');
  });

/** What may befall a world. */
const NEMESES: ((run: SimRun, victim: SimPerson, random: SeededRandom) => void)[] = [
  function crash(run, victim, random) {
    if (!victim.member) return;
    run.crash(victim);
    run.clock.schedule(below(random, 40_000), () => void restart(run, victim));
  },
  function lostStore(_run, victim) {
    victim.machine.disk.wipeStore();
  },
  function partition(run, _victim, random) {
    run.hub.partition(run.people.filter(() => below(random, 2) === 0).map((person) => person.id));
    run.clock.schedule(below(random, 40_000), () => run.hub.heal());
  },
  function flippedBit(_run, victim, random) {
    const ids = [...victim.machine.disk.artifacts.keys()].sort();
    if (ids.length > 0) victim.machine.disk.corrupt(ids[below(random, ids.length)]!);
  },
];

async function heal(run: SimRun): Promise<void> {
  run.hub.change({ loss: 0, delayMs: { min: 5, max: 40 } });
  await run.clock.run(run.clock.now() + 60_000);
  run.hub.heal();
  for (const person of run.people) if (!person.process) await run.clock.drive(restart(run, person));
}

/** Starts again until it works: an invite’s doors may be out of reach for a while. */
async function restart(run: SimRun, person: SimPerson): Promise<void> {
  while (!person.process)
    await run.start(person).catch(async (error) => {
      person.notices.push({ kind: 'trouble', error });
      run.crash(person);
      await run.clock.sleep(3000);
    });
}

function seeds(): number[] {
  const { FOLKMOOT_SEED: one, FOLKMOOT_SEEDS: count = '10' } = process.env;
  return one === undefined ? Array.from({ length: Number(count) }, (_, i) => i) : [Number(one)];
}
