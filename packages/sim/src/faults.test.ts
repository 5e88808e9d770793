import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import type { Charter } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import type { Conditions } from './sim-link.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory, storyOf } from './sim-story.ts';

for (const [what, conditions] of [
  ['one message in a hundred is lost', { loss: 0.01 }],
  ['delays of up to two and a half seconds', { delayMs: { min: 50, max: 2500 } }],
  ['a thin line of two kilobytes a second', { bytesPerMs: 2 }],
] as const)
  test(`${what}: rounds go on, nobody honest is accused`, async () => {
    const run = await started(what, 4, {}, conditions);
    assert.ok(await run.until(() => run.people.every((person) => person.state!.finalized >= 4), 1_800_000));
    run.hub.change({ loss: 0, delayMs: { min: 5, max: 40 }, bytesPerMs: Number.POSITIVE_INFINITY });
    await isWhole(run);
    const isPaid = (person: SimPerson) => balanceOf(run.creator.state!.ledger, person.account.id).earned > 0;
    assert.ok(await run.until(() => run.people.every(isPaid), 900_000), 'in the end everybody is paid');
    checkStory(run);
  });

test('a partition pauses the smaller side; after healing it catches up and works again', async () => {
  const run = await started('partition', 7);
  await run.until(() => run.creator.state!.finalized >= 1);
  const far = run.people.slice(5);
  run.hub.partition(far.map((person) => person.id));
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => run.creator.state!.finalized >= finalized + 4), 'the larger side goes on');
  for (const person of far) assert.ok(person.state!.finalized <= finalized + 1, 'the smaller side finishes nothing');
  run.hub.heal();
  await isWhole(run);
});

test('where the sequencer is on the smaller side, the others go on with another; it comes back as a member', async () => {
  const run = await started('cut sequencer', 5);
  await run.until(() => run.creator.state!.finalized >= 1);
  run.hub.partition([run.creator.id]);
  const others = run.people.slice(1);
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => others.every((person) => person.state!.finalized >= finalized + 3), 600_000));
  assert.ok(run.creator.state!.finalized <= finalized + 1, 'alone it finishes nothing');
  run.hub.heal();
  await isWhole(run);
  assert.ok(run.creator.state!.term > 1);
  assert.notEqual(run.creator.state!.sequencer, run.creator.id);
});

test('while the sequencer is down for a moment the rounds pause; the log goes on where it stopped', async () => {
  const run = await started('down', 3, { audit: { floorPpm: 1_000_000 } });
  await run.until(() => Object.keys(run.creator.state!.audits).length > 0);
  const before = run.creator.member!.log.bytesAt(run.creator.member!.log.durable);
  const { durable } = run.creator.member!.log;
  run.crash(run.creator);
  await run.clock.run(run.clock.now() + run.charter.succession.silenceMs / 2);
  await run.clock.drive(run.start(run.creator));
  assert.deepEqual(run.creator.member!.log.bytesAt(durable), before);
  await isWhole(run);
  assert.equal(run.creator.state!.term, 1);
  for (const { outcome } of storyOf(run).settlements) assert.notEqual(outcome, 'not-opened', 'the pause costs nobody');
});

test('a member whose store was deleted declares a reset, and is paid again', async () => {
  const run = await started('wiped', 4);
  const victim = run.people[2]!;
  await run.until(() => victim.state!.finalized >= 2);
  run.crash(victim);
  victim.machine.disk.wipeStore();
  const { finalized } = run.creator.state!;
  await run.clock.drive(run.start(victim));
  await isWhole(run);
  const resets = readies(run, victim).filter((ready) => ready.reset);
  assert.equal(resets.length, 1, 'the reset is declared once');
  const paid = checkStory(run).settlements.filter(({ device, segments }) => device === victim.id && segments > 0);
  assert.ok(paid.some(({ round }) => round > finalized));
});

test('a store that is lost in mid-round costs that round and nothing else', async () => {
  const run = await started('wiped in mid-round', 4);
  const victim = run.people[2]!;
  await run.until(() => victim.state!.finalized >= 2 && victim.state!.round.phase === 'train');
  victim.machine.disk.wipeStore();
  const { finalized } = run.creator.state!;
  await isWhole(run);
  assert.ok(readies(run, victim).length <= 6, 'it does not go on about it');
  const paid = checkStory(run).settlements.filter(({ device, segments }) => device === victim.id && segments > 0);
  assert.ok(paid.some(({ round }) => round > finalized + 1));
});

for (const what of ['base', 'update', 'state'] as const)
  test(`a bit flips in a stored ${what}: every reader sees it, and fetches it again or is told`, async () => {
    const run = await started(`flipped ${what}`, 3, { audit: { floorPpm: 1_000_000 } });
    const victim = run.people[1]!;
    const id = () => artifactOf(run, victim, what);
    assert.ok(await run.until(() => id() !== undefined && victim.machine.disk.artifacts.has(id()!)));
    const flipped = id()!;
    const good = victim.machine.disk.artifacts.get(flipped)!;
    // On every disk at once there would be nobody to fetch it from; here the others still hold what they hold.
    victim.machine.disk.corrupt(flipped);
    await isWhole(run);
    const { artifacts } = victim.member!;
    const others = run.people.filter((person) => person !== victim && person.machine.disk.artifacts.has(flipped));
    const read = artifacts.get(flipped, { maxBytes: good.length }).catch((error) => error);
    const bytes = await run.clock.drive(read);
    if (others.length > 0) assert.deepEqual(bytes, good);
    else assert.ok(isWorldError(bytes, 'artifact-unavailable'), String(bytes));
    for (const person of run.people) {
      const held = person.machine.disk.artifacts.get(flipped);
      if (person !== victim && held) assert.deepEqual(held, good, 'the damage does not spread');
    }
  });

for (const [who, index] of [
  ['a member', 1],
  ['the sequencer', 0],
] as const)
  test(`the disk of ${who} is full: it says so and stops; with room it goes on`, async () => {
    const run = await started(`full ${who}`, 4);
    const victim = run.people[index]!;
    await run.until(() => run.creator.state!.finalized >= 1);
    const failure = victim.member!.failed.catch((error) => error);
    victim.machine.disk.fill();
    const filledMs = run.clock.now();
    const error = await run.clock.drive(failure, run.clock.now() + 120_000);
    assert.ok(isWorldError(error, 'disk-full'), String(error));
    assert.match(error.help, /Free some space/);
    assert.ok(run.clock.now() - filledMs < 4000, 'it does not go on without its disk');
    run.crash(victim);
    const { finalized } = run.people[2]!.state!;
    if (index > 0) assert.ok(await run.until(() => run.creator.state!.finalized >= finalized + 2), 'the others go on');
    victim.machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
    await run.clock.drive(run.start(victim));
    run.hub.handlerErrors.splice(0);
    await isWhole(run);
  });

test('a disk that is full while a member still fetches the log: it says so and stops, too', async () => {
  const run = await started('full at first', 3);
  assert.ok(await run.until(() => run.creator.state!.finalized >= 1));
  const joiner = run.add();
  joiner.machine.disk.capacityBytes = 6000;
  const error = await run.clock.drive(
    run.start(joiner).catch((reason) => reason),
    run.clock.now() + 60_000,
  );
  assert.ok(isWorldError(error, 'disk-full'), String(error));
  run.crash(joiner);
  joiner.machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await run.clock.drive(run.start(joiner));
  await isWhole(run);
});

test('whoever joins in the fourth round holds the same base and the same state at the end', async () => {
  const run = await started('joiner', 3);
  assert.ok(await run.until(() => run.creator.state!.finalized >= 3));
  const joiner = run.add();
  await run.clock.drive(run.start(joiner));
  await isWhole(run);
  const { base } = run.creator.state!;
  const { artifacts } = joiner.member!;
  const bytes = await run.clock.drive(artifacts.get(base, { maxBytes: 64 }));
  assert.deepEqual(bytes, await run.clock.drive(run.creator.member!.artifacts.get(base, { maxBytes: 64 })));
  const paid = checkStory(run).settlements.filter(({ device, segments }) => device === joiner.id && segments > 0);
  assert.ok(paid.length > 0);
});

test('a member that leaves says so once, and nobody waits for it', async () => {
  for (const index of [0, 1]) {
    const run = await started(`leaver ${index}`, 4);
    const leaver = run.people[index]!;
    await run.until(() => run.creator.state!.finalized >= 1);
    const { log } = run.creator.member!;
    const from = log.length;
    await run.clock.drive(leaver.member!.leave());
    const said = Array.from({ length: log.length - from }, (_, i) => log.recordAt(from + i));
    const mine = said.filter(({ device }) => device === leaver.id).map(({ kind }) => kind);
    assert.ok(mine.includes('leave') && !mine.includes('ready'), mine.join());
    if (index === 0) continue;
    run.crash(leaver);
    const beganMs = run.clock.now();
    await run.until(() => run.creator.state!.finalized >= 4);
    assert.ok(run.clock.now() - beganMs < 60_000, 'three rounds without a wait');
    assert.equal(run.creator.state!.members[leaver.id]!.ready, false);
  }
});

test('one seed, one trace; another seed, another', async () => {
  const trace = async (seed: string) => {
    const run = await started(seed, 3, {}, { loss: 0.005 });
    await run.until(() => run.creator.state!.finalized >= 2);
    return run.hub.traceHash;
  };
  const first = await trace('one');
  assert.equal(await trace('one'), first);
  assert.notEqual(await trace('two'), first);
});

async function started(
  seed: string,
  count: number,
  change: Partial<Charter> = {},
  conditions: Partial<Conditions> = {},
): Promise<SimRun> {
  const run = new SimRun(seed, simCharter(change), conditions);
  for (let i = 0; i < count; i++) run.add();
  await run.startAll();
  return run;
}

/** Everybody finishes two more rounds, agrees on everything, and is ready for the next. */
async function isWhole(run: SimRun): Promise<void> {
  const { finalized } = run.creator.state!;
  const done = () => run.people.every((person) => person.state!.finalized >= finalized + 3);
  assert.ok(await run.until(done, 900_000), run.troubles().slice(-6).join('\n'));
  checkStory(run);
  await checkAgreement(run);
}

function readies(run: SimRun, person: SimPerson) {
  const { log } = run.creator.member!;
  return Array.from({ length: log.length }, (_, i) => log.recordAt(i)).flatMap((body) =>
    body.kind === 'ready' && body.device === person.id ? [body] : [],
  );
}

/** The id of an artifact that is in use right now. */
function artifactOf(run: SimRun, victim: SimPerson, what: 'base' | 'update' | 'state'): string | undefined {
  const { base, audits, round } = run.creator.state!;
  if (what === 'base') return round.number >= 2 ? base : undefined;
  if (what === 'update') return round.phase === 'witness' ? (round.seats[victim.id]?.update ?? undefined) : undefined;
  return Object.values(audits).find(({ trainer, segment }) => trainer === victim.id && segment > 1)?.opened?.params;
}
