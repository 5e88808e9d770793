/** The main job by one command: a network of real processes trains, audits, credits and answers. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isHash } from '@folkmoot/core';
import { DATA, LogView, type Process, processesNaming, type Summary, until, World } from './harness.ts';

test('a free rider among three: loss falls, it earns nothing and is told why, the others are paid', async (t) => {
  const summary = await up(t, ['--cheater', 'free-rider', '--rounds', '4', '--codec', 'dense']).summary();
  assertSummary(summary, { rounds: 4, members: 4 });
  assertCheaterRefused(
    summary,
    /came out differently when .* re-executed it: first differing tensor .*commit [0-9a-f]{10}, verdict [0-9a-f]{10}/,
  );
});

test('forged error feedback under the sparse codec is found in the encoding', async (t) => {
  const summary = await up(t, ['--cheater', 'forged-feedback', '--rounds', '4', '--codec', 'sparse']).summary();
  assertSummary(summary, { rounds: 4, members: 4 });
  assertCheaterRefused(summary, /encod.*commit [0-9a-f]{10}, verdict [0-9a-f]{10}/);
});

test('a copycat and a poisoner; killed in the middle, nothing is left running, and the same command goes on', async (t) => {
  const args = ['--cheater', 'copycat', 'poisoner', '--rounds', '3'];
  const world = new World(t);
  const first = up(t, args, world);
  await first.line('round 1', ({ type }) => type === 'round');
  const { runId } = first.lines.find(({ type }) => type === 'round') as { runId?: string };
  const members = processesNaming(world.folder);
  await first.kill();
  // By number: a process that is ending has lost its command line already and still holds its home.
  if (members !== undefined) await until('the members to follow', () => members.every(hasEnded));
  const before = new LogView(world.home('up'), runId!).now();

  const second = up(t, args, world);
  const summary = await second.summary();
  assert.equal(summary.runId, runId);
  assert.equal(summary.rounds, 3);
  const cheaters = membersNamed(world, summary, ['mallory', 'trudy']);
  for (const [account, earned] of Object.entries(summary.credits))
    assert.equal(earned > 0, !cheaters.includes(account), `${account} earned ${earned}\n${second.output}`);
  for (const [account, { earned }] of Object.entries(before.ledger.accounts))
    assert.ok(summary.credits[account]! >= earned, 'what was credited before the crash stays');
});

test('the end of a run that is finished already comes at once, with the same result', async (t) => {
  const world = new World(t);
  const args = ['--members', '2', '--rounds', '1'];
  const first = await up(t, args, world).summary();
  const second = await up(t, args, world).summary();
  assert.equal(second.baseId, first.baseId);
  assert.deepEqual(second.credits, first.credits);
  assert.ok(existsSync(join(world.home('up'), 'members', 'ben', 'keys.json')), 'members have homes of their own');
});

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

function up(t: TestContext, args: readonly string[], world = new World(t)): Process {
  return world.start('up', ['up', '--preset', 'tiny', '--yes', '--data', ...DATA, '--exit', ...args]);
}

function assertSummary(summary: Summary, { rounds, members }: { rounds: number; members: number }): void {
  assert.equal(summary.rounds, rounds);
  const positive = [
    'tokensPerSecond',
    'wireBytes',
    'wireBytesPerUpdate',
    'auditBytes',
    'parameters',
    'updatesAccepted',
  ];
  for (const name of positive) assert.ok(Number.isSafeInteger(summary[name]) && (summary[name] as number) > 0, name);
  for (const name of ['lossFirst', 'lossLast', 'holdoutLoss'])
    assert.ok(Number.isFinite(summary[name]), `${name} is a number`);
  const { lossFirst, lossLast, holdoutLoss } = summary as unknown as Record<string, number>;
  assert.ok(lossLast! < lossFirst! - 0.5, `training loss falls: ${lossFirst} to ${lossLast}`);
  assert.ok(holdoutLoss! < lossFirst! - 0.5, `hold-out loss falls: ${lossFirst} to ${holdoutLoss}`);
  assert.ok((summary.parameters as number) < 1_000_000);
  assert.ok(isHash(summary.baseId));
  assert.equal(Object.keys(summary.credits).length, members);
  for (const [account, earned] of Object.entries(summary.credits))
    assert.ok(/^0x[0-9a-f]{40}$/.test(account) && Number.isSafeInteger(earned) && earned >= 0);
  assert.equal(typeof summary.answer, 'string');
}

/** One member earned nothing, each refusal is its own and names evidence; everybody else was paid. */
function assertCheaterRefused(summary: Summary, evidence: RegExp): void {
  const unpaid = Object.keys(summary.credits).filter((account) => summary.credits[account] === 0);
  assert.equal(unpaid.length, 1, JSON.stringify(summary));
  assert.ok(summary.updatesRefused.length > 0);
  for (const { member, round, reason } of summary.updatesRefused) {
    assert.equal(member, unpaid[0], reason);
    assert.match(reason, new RegExp(`^round ${round}: mallory earned 0 credits: .*commit [0-9a-f]{10}`));
  }
  assert.ok(
    summary.updatesRefused.some(({ reason }) => evidence.test(reason)),
    JSON.stringify(summary.updatesRefused),
  );
}

/** Accounts of members by the names that they joined with. */
function membersNamed(world: World, { runId }: Summary, names: readonly string[]): string[] {
  assert.ok(readdirSync(join(world.home('up'), 'members')).length >= names.length);
  const { members } = new LogView(world.home('up'), runId as string).now();
  return Object.values(members)
    .filter(({ name }) => names.includes(name))
    .map(({ account }) => account);
}
