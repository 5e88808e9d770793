/** The disk's troubles, with real files: a changed byte of an update or a base, and a file system without room. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Hash, sha256 } from '@folkmoot/core';
import { assertNothingCreditedIsLost, earnedIn, objectPath, openLog, type Process, until, World } from './harness.ts';

test('one changed byte of a stored update and of a stored base: seen by the member that reads it, and fetched again', async (t) => {
  const world = new World(t);
  const ana = await world.create('ana', ['--min-members', '3']);
  const { invite, runId } = await ana.started();
  const members = { ben: world.join('ben', invite, []), cleo: world.join('cleo', invite, []) };
  const ben = (await members.ben.started()).device;
  const cleo = (await members.cleo.started()).device;
  const log = openLog(ana.home, runId);
  const all = () => [ana, members.ben, members.cleo];
  const restart = async () => {
    members.ben = world.start('ben', members.ben.args);
    members.cleo = world.start('cleo', members.cleo.args);
    await Promise.all([members.ben.started(), members.cleo.started()]);
  };

  await t.test('an update, between attesting and aggregating', async () => {
    // Whether ben is caught before it has aggregated, and is back in time, is chance: there is one in each round.
    for (let attempt = 0; attempt < 12; attempt++) {
      const { round } = await log.until(
        'ben to have attested',
        ({ round }) => (round.phase === 'witness' && round.attested[ben] !== undefined) || round.phase === 'finalize',
        all(),
      );
      // Of three electors two suffice: without cleo the round waits for ben.
      await Promise.all([members.ben.kill(), members.cleo.kill()]);
      const update = log.now().round.seats[cleo]?.update;
      if (update && log.state.round.number === round.number && !log.state.round.signed[ben]) {
        const flipped = flipByte(members.ben, runId, update);
        await restart();
        if (await wasMended(members.ben, runId, update, flipped, () => log.now().round.number > round.number)) return;
      } else {
        await restart();
      }
      await log.until('the next round', ({ round: { number } }) => number > round.number, all());
    }
    assert.fail('ben could not be caught in time');
  });

  await t.test('a base, before a round that starts from it', async () => {
    const state = await log.until(
      'cleo in training from a base that it has',
      ({ round, base }) =>
        round.phase === 'train' &&
        round.seats[cleo]?.commit === null &&
        existsSync(objectPath(members.cleo.home, runId, base)),
      all(),
    );
    await members.cleo.kill();
    const base = state.base;
    const flipped = flipByte(members.cleo, runId, base);
    members.cleo = world.start('cleo', members.cleo.args);
    await members.cleo.started();
    assert.ok(await wasMended(members.cleo, runId, base, flipped, () => false));
  });

  const before = earnedIn(log.now());
  await log.until(
    'credit for everybody after that',
    (state) => [...earnedIn(state)].every(([account, earned]) => earned > before.get(account)!),
    all(),
  );
  assertNothingCreditedIsLost(log);
});

test('a full disk: a clear message and the end of that member; the others go on, and with room so does it', async (t) => {
  const world = new World(t);
  const small = join(world.folder, 'dora');
  mkdirSync(small);
  if (!mountSmall(t, world, small)) return;
  const stay = ['--rounds', '3', '--exit'];
  const ana = await world.create('ana', ['--min-members', '3', ...stay]);
  const { invite, runId } = await ana.started();
  const ben = world.join('ben', invite, stay);
  const dora = world.join('dora', invite, stay);
  const error = await dora.failure();
  assert.equal(error.code, 'disk-full', dora.output);
  assert.match(error.message, /disk|room|space/i);
  assert.match(error.help, /Free some space/);

  assert.equal(spawnSync('mount', ['-o', 'remount,size=400m', small]).status, 0);
  const again = world.start('dora', dora.args);
  await again.started();
  const summaries = await Promise.all([ana, ben, again].map((process) => process.summary()));
  for (const { baseId, rounds } of summaries) {
    assert.equal(baseId, summaries[0]!.baseId);
    assert.equal(rounds, 3);
  }
  assertNothingCreditedIsLost(openLog(ana.home, runId));
});

/** Changes one byte of an artifact in the home of a member that does not run; returns the whole, changed. */
function flipByte({ home, isOver }: Process, run: Hash, id: Hash): Uint8Array {
  assert.ok(isOver, 'it does not run');
  const path = objectPath(home, run, id);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  return bytes;
}

/** Waits until the damaged bytes are set aside and the right ones are back; false where `isTooLate` comes before. */
async function wasMended(
  member: Process,
  run: Hash,
  id: Hash,
  damaged: Uint8Array,
  isTooLate: () => boolean,
): Promise<boolean> {
  const path = objectPath(member.home, run, id);
  const isMended = () => existsSync(path) && sha256(readFileSync(path)) === id;
  await until(`${member.name} to mend ${id.slice(0, 10)}`, () => isMended() || isTooLate(), [member]);
  if (!isMended()) return false;
  const aside = join(member.home, 'runs', run, 'store', 'corrupt', id);
  assert.deepEqual(new Uint8Array(readFileSync(aside)), new Uint8Array(damaged), 'what was damaged is kept for a look');
  return true;
}

/** A file system that holds the data of a run and no round of it; false, with the reason, where it cannot be had. */
function mountSmall(t: TestContext, world: World, path: string): boolean {
  const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (status !== 0) t.skip(`no file system may be mounted here: ${(error?.message ?? stderr).trim()}`);
  else world.onClose(() => spawnSync('umount', ['-l', path]));
  return status === 0;
}
