/** Every adversary in a world of honest members: it gains nothing, nobody honest is punished, and all agree on the base. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES, type AdversaryName, Plan } from '@folkmoot/adversaries';
import { SeededRandom, shuffled } from '@folkmoot/core';
import { balanceOf, explain, type Outcome } from '@folkmoot/ledger';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkStory, type Story } from './sim-story.ts';

const NAMES = Object.keys(ADVERSARIES) as AdversaryName[];
const ROUNDS = 3;

/** What may become of a round of whoever does this; what is not listed here may be paid, since its work is honest. */
const FATES: Partial<Record<AdversaryName, readonly Outcome[]>> = {
  idler: ['late'],
  'free-rider': ['mismatch', 'tainted'],
  zeros: ['mismatch', 'tainted'],
  copycat: ['mismatch', 'tainted'],
  poisoner: ['mismatch', 'tainted'],
  'sign-flipper': ['mismatch', 'tainted'],
  'forged-feedback': ['mismatch', 'tainted'],
  precomputer: ['mismatch', 'tainted'],
  leaver: ['not-opened', 'tainted', 'late', 'not-revealed', 'mismatch'],
  withholder: ['excluded', 'unavailable', 'tainted'],
  'memory-bomb': ['excluded', 'unavailable', 'tainted'],
};

/** What the reason must say: which evidence convicts whom. */
const REASONS: Partial<Record<AdversaryName, RegExp>> = {
  'free-rider': /segment \d came out differently when .* and .* re-executed it: first differing tensor pretended/,
  copycat: /segment \d came out differently when .* and .* re-executed it: first differing tensor pretended/,
  poisoner: /the update is not the encoding of its state when .* and .* re-executed it/,
  'forged-feedback': /the update is not the encoding of its state when .* and .* re-executed it/,
};

/** Whatever they do, no round of theirs is worked, so all pay is profit. */
const WORKLESS: readonly AdversaryName[] = ['idler', 'free-rider', 'zeros', 'copycat', 'leaver'];

for (const name of NAMES)
  test(`${name}: one among five gains nothing, and everybody else is paid`, async () => {
    const { run, story, cheats } = await worldWith(name, [name], 5);
    const [cheat] = cheats;
    const fates = story.settlements.filter(({ device }) => device === cheat!.id);
    const expected = FATES[name];
    if (expected) {
      assert.ok(fates.length > 0);
      for (const { outcome } of fates) assert.ok(expected.includes(outcome), outcome);
    }
    if (WORKLESS.includes(name)) assert.equal(balanceOf(story.state.ledger, cheat!.account.id).earned, 0);
    if (REASONS[name]) checkReason(REASONS[name], fates);
    if (name !== 'forker') await checkPaid(run, cheats);
  });

for (const name of ['free-rider', 'lazy-auditor'] as const)
  test(`${name}: one among three gains nothing`, async () => {
    await worldWith(`${name} of three`, [name], 3);
  });

/** Combinations by seed; no set of three is a majority of the nine, nor of any committee of theirs. */
for (let seed = 0; seed < 2; seed++)
  test(`three among nine gain nothing (seed ${seed})`, async () => {
    const random = new SeededRandom(`three among nine ${seed}`);
    const alone = shuffled(random, NAMES).filter((name) => ADVERSARIES[name].needs === 'nobody');
    const { run, cheats } = await worldWith(`nine ${seed}`, alone.slice(0, 3), 9);
    await checkPaid(run, cheats);
  });

test('pair: three among nine harm nobody', async () => {
  const { run, cheats } = await worldWith('pair of nine', ['pair', 'pair', 'pair'], 9);
  await checkPaid(run, cheats);
});

test('sybil-swarm: newcomers in any number earn nothing and leave nobody out', async () => {
  const run = new SimRun('swarm', simCharter());
  for (let i = 0; i < 4; i++) run.add();
  const honest = [...run.people];
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 1));
  const plan = new Plan();
  for (let i = 0; i < 6; i++)
    await run.clock.drive(run.start(run.add({ conduct: ADVERSARIES['sybil-swarm'].conduct(plan) })));
  assert.ok(await run.until(() => run.creator.state!.finalized >= 4));
  const story = checkStory(run, honest);
  const ids = honest.map(({ id }) => id);
  const left = story.settlements.filter(({ device, outcome }) => ids.includes(device) && outcome === 'excluded');
  assert.deepEqual(left, []);
  for (const { account, id } of run.people)
    assert.equal(balanceOf(story.state.ledger, account.id).earned > 0, ids.includes(id));
});

interface World {
  readonly run: SimRun;
  readonly story: Story;
  readonly cheats: readonly SimPerson[];
}

/** A run of `count` members, some of whom are `names`; checks what must hold whoever they are. */
async function worldWith(seed: string, names: readonly AdversaryName[], count: number): Promise<World> {
  const run = new SimRun(seed, simCharter());
  const plan = new Plan();
  const ordering = names.filter((name) => ADVERSARIES[name].needs === 'sequencer');
  const others = names.filter((name) => ADVERSARIES[name].needs !== 'sequencer');
  const conductOf = (name: AdversaryName | undefined) => name && ADVERSARIES[name].conduct(plan);
  run.add({ conduct: conductOf(ordering[0]) });
  for (let i = 1; i < count - others.length; i++) run.add();
  for (const name of others) run.add({ conduct: conductOf(name) });
  const cheats = run.people.filter((person) => person.options.conduct !== undefined);
  await run.startAll();
  // Two logs leave whoever is told the other one behind, and with them the run: what is looked at is that it is safe.
  const isOver = () => run.creator.state!.finalized >= ROUNDS;
  const over = await run.until(isOver, names.includes('forker') ? 300_000 : 3_600_000);
  assert.ok(over || names.includes('forker'), run.troubles().slice(-5).join('\n'));
  const honest = run.people.filter((person) => !cheats.includes(person));
  const story = checkStory(run, honest);
  for (const { device, round, outcome } of story.settlements)
    if (honest.some(({ id }) => id === device))
      assert.notEqual(outcome, 'tainted', `an honest member’s round ${round}`);
  for (const person of honest)
    assert.equal(balanceOf(story.state.ledger, person.account.id).forfeited, 0, 'nobody honest is punished');
  return { run, story, cheats };
}

/** In the end: where every record lies for two seconds, an auditor's own work may be late in all of the first rounds. */
async function checkPaid(run: SimRun, cheats: readonly SimPerson[]): Promise<void> {
  const earned = ({ account }: SimPerson) => balanceOf(run.creator.state!.ledger, account.id).earned;
  const isPaid = (person: SimPerson) => cheats.includes(person) || earned(person) > 0;
  assert.ok(await run.until(() => run.people.every(isPaid), 600_000), 'paid');
}

function checkReason(expected: RegExp, fates: Story['settlements']): void {
  const convicted = fates.find(({ outcome }) => outcome === 'mismatch')!;
  const reason = explain(convicted, 0);
  assert.match(reason, expected);
  for (const id of [convicted.evidence.commit!, ...convicted.evidence.verdicts!])
    assert.ok(reason.includes(id.slice(0, 10)));
}
