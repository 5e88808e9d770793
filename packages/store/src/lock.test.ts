import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { lockHolder, lockHome, setAsideStale } from './lock.ts';

const LOCK = JSON.stringify(import.meta.resolve('./lock.ts'));

test('a second process is told who holds the home, until the first lets go', async (t) => {
  const home = await folder(t);
  const child = hold(home);
  await once(child.stdout, 'data');
  assert.equal(await lockHolder(home), child.pid);
  await assert.rejects(lockHome(home), (error) => {
    assert.ok(isWorldError(error, 'home-in-use'));
    assert.equal(error.facts.pid, child.pid);
    assert.match(error.help, new RegExp(`kill ${child.pid}`));
    return true;
  });
  child.stdin.end();
  await once(child, 'exit');
  assert.equal(await lockHolder(home), undefined);
  await (await lockHome(home))();
  assert.deepEqual(await readdir(home), []);
});

test('the lock of a killed process is taken over', async (t) => {
  const home = await folder(t);
  const child = hold(home);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const release = await lockHome(home);
  await assert.rejects(lockHome(home), (error) => isWorldError(error, 'home-in-use'));
  await release();
});

test('a process id that was used again does not keep the home', async (t) => {
  const home = await folder(t);
  await (await lockHome(home))();
  await writeFile(join(home, 'lock'), JSON.stringify({ pid: process.pid, start: 'an earlier boot:1' }));
  const release = await lockHome(home);
  assert.notEqual(JSON.parse(await readFile(join(home, 'lock'), 'utf8')).start, 'an earlier boot:1');
  await release();
});

test('a lock file that says nothing does not keep the home', async (t) => {
  const home = await folder(t);
  await writeFile(join(home, 'lock'), '');
  await (await lockHome(home))();
});

test('of many that find a dead lock at once, one gets it', async (t) => {
  const home = await folder(t);
  for (let round = 0; round < 20; round++) {
    await writeFile(join(home, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, start: 'x:1' }));
    const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => lockHome(home)));
    const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
    assert.equal(winners.length, 1);
    await winners[0]!.value();
    assert.deepEqual(await readdir(home), []);
  }
});

test('a takeover that comes too late gives the lock back to the quicker one', async (t) => {
  const home = await folder(t);
  const release = await lockHome(home);
  await setAsideStale(join(home, 'lock'), { pid: 2 ** 22 + 1, start: 'x:1' });
  await assert.rejects(lockHome(home), (error) => isWorldError(error, 'home-in-use'));
  await release();
  assert.deepEqual(await readdir(home), []);
});

/** A process that locks `home`, says so, and lets go when its input ends. */
function hold(home: string) {
  const script = `
    const { lockHome } = await import(${LOCK});
    const release = await lockHome(${JSON.stringify(home)});
    process.stdout.write('held');
    process.stdin.on('end', release).resume();
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'folkmoot-lock-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}
