/** What `bench` starts beside itself ends with it, however it ends. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRival } from '../bench/rival.ts';
import { until } from './harness.ts';

const bench = fileURLToPath(new URL('../bench', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Steps of `bench/asked.py` that never end, after one that does. */
const RIVAL = `
import os, sys, time
sys.path.insert(0, ${JSON.stringify(bench)})
from asked import asked, say
say("ready", os.getpid())
for count, _ in enumerate(asked()):
    if count > 0:
        say("busy")
        time.sleep(600)
    say(1.5)
say("peak", 2000)
`;

test('a rival answers step by step, tells its peak at the end, and is gone', { skip: !hasPython }, async () => {
  const rival = await startRival('python3', ['-c', RIVAL], 'Python', new AbortController().signal);
  assert.equal(await rival.step(), 1.5);
  assert.equal(await rival.close(), 2);
  await until('the end of the rival', () => !isRunning(Number(rival.name.split(' ')[1])));
});

test('a bench that is interrupted ends its rivals in the middle of a step', { skip: !hasPython }, async () => {
  const controller = new AbortController();
  const rival = await startRival('python3', ['-c', RIVAL], 'Python', controller.signal);
  await rival.step();
  assert.ok(Number.isNaN(await rival.step()), 'it says that it is busy');
  const step = rival.step();
  controller.abort(new Error('interrupted'));
  await assert.rejects(step, /interrupted/);
  await until('the end of the rival', () => !isRunning(Number(rival.name.split(' ')[1])));
});

test('a rival whose parent was killed ends in the middle of a step, without a word', {
  skip: !hasPython,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot bench '));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [rival, errors] = [join(folder, 'rival.py'), join(folder, 'errors')];
  writeFileSync(rival, RIVAL);
  const parent = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { startRival } from ${JSON.stringify(join(bench, 'rival.ts'))};
     const rival = await startRival('sh', ['-c', 'exec python3 "$1" 2> "$2"', 'sh', ${JSON.stringify(rival)}, ${JSON.stringify(errors)}], 'Python', new AbortController().signal);
     await rival.step();
     await rival.step();
     console.log(rival.name);
     await rival.step();`,
  ]);
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line).split(' ')[1]);
  assert.ok(isRunning(pid));
  parent.kill('SIGKILL');
  await until('the end of the rival', () => !isRunning(pid));
  assert.equal(readFileSync(errors, 'utf8'), '');
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that nobody has waited for yet is over too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
