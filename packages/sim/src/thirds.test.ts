/**
 * Every adversary at a third of nine members, under all checkers: nothing wrong happens, nobody honest is punished, and everybody
 * honest is credited. A few of them at every commit, others each time; all with `FOLKMOOT_ALL=1`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotating } from './rotation.test-support.ts';
import { adversaryNames } from './world/cast.ts';
import { planOf, runPlan } from './world/seeds.ts';

const EACH_COMMIT = 2;

/**
 * Two of three auditors who find everything wrong are a majority where nothing is at stake yet, and refuse a round of somebody
 * honest: docs/security.md says so, with the figure. They take nothing from anybody.
 */
const REFUSES: ReadonlySet<string> = new Set(['false-accuser']);
/**
 * Of eight other witnesses three who attest only each other are more than a third: they leave everybody else out of the rounds.
 * They came with the founders; newcomers never witness. Nothing is paid that was not worked, and nothing is taken.
 */
const STARVES: ReadonlySet<string> = new Set(['sybil-swarm']);

for (const name of rotating(adversaryNames(), EACH_COMMIT))
  test(`${name}: a third of nine`, async () => {
    // Whoever lost a message of its log has noticed it within two rounds, and is paid for the next.
    const wishes = { members: 9, rounds: 2, minutes: 0.1, calm: true, adversaries: { [name]: 1 / 3 } };
    const { violation, referee, plan, run } = await runPlan(planOf(`a third, ${name}`, wishes));
    const liars = run.people.filter((_, i) => plan.members[i]?.adversary).map(({ id }) => id);
    const honest = run.people.filter(({ id }) => !liars.includes(id));
    const refused = REFUSES.has(name) && violation?.message.includes('is honest and ends round');
    const starved = STARVES.has(name) && violation?.message.includes('has earned nothing');
    assert.ok(!violation || refused || starved, violation?.message);
    for (const { account } of honest) assert.equal(referee.state.ledger.accounts[account.id]?.forfeited ?? 0, 0);
  });
