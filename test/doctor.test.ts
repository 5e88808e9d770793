/** `doctor` as a person types it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXACT_WASM_SHA256 } from '@folkmoot/tensor';

const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'folkmoot doctor '));
const home = join(folder, 'deep', 'home');

after(() => rmSync(folder, { recursive: true, force: true }));

test('doctor: one screen that says what this machine can do; nothing is left behind', () => {
  const { stdout, stderr, status } = folkmoot('doctor');
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length <= 24, stdout);
  for (const line of lines) assert.ok([...line].length <= 80, line);
  assert.match(stdout, /^native +works: native onnxruntime/m);
  assert.match(stdout, /^medium +27,795,968 +~[\d,]+ /m);
  assert.match(stdout, /A member can run here/);
  assert.match(stderr, /^looking for engines …\nmeasuring/m);
  assert.equal(existsSync(home), false);
});

test('doctor --json: the same for scripts, as one line', () => {
  const { stdout, status } = folkmoot('doctor', '--json');
  assert.equal(status, 0);
  const found = JSON.parse(stdout);
  assert.equal(found.canRun, true);
  assert.equal(found.machine.home, home);
  assert.ok(found.machine.diskFreeBytes > 0);
  assert.match(found.engines.exact.name, new RegExp(EXACT_WASM_SHA256.slice(0, 12)));
  assert.deepEqual(
    found.forecasts.map(({ preset }: { preset: string }) => preset),
    ['tiny', 'small', 'medium'],
  );
  for (const { tokensPerSecond, roundMs, memoryBytes } of found.forecasts)
    assert.ok(tokensPerSecond > 0 && roundMs > 0 && memoryBytes > 1e8);
});

function folkmoot(...args: string[]) {
  return spawnSync(script, args, { encoding: 'utf8', env: { ...process.env, FOLKMOOT_HOME: home, NO_COLOR: '1' } });
}
