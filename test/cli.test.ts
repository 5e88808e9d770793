/** The command line as a person types it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluateProgram, PRESETS } from '@folkmoot/model';

const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'folkmoot cli '));
const home = join(folder, 'home');

after(() => rmSync(folder, { recursive: true, force: true }));

test('without anything it explains itself', () => {
  const { stdout, status } = folkmoot();
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: folkmoot/);
  assert.match(stdout, /Examples:/);
  assert.equal(folkmoot('--help').stdout, stdout);
});

test('every command explains itself, with an example', () => {
  const names = [...folkmoot('--help').stdout.matchAll(/^ {2}([a-z]+)\b(?! {2,}folkmoot)/gm)].map((match) => match[1]!);
  const commands = names.filter((name) => name !== 'folkmoot' && name !== 'help');
  assert.ok(commands.length >= 3);
  const below = ['show', 'backup', 'devices', 'add', 'revoke', 'restore'].map((name) => `keys ${name}`);
  for (const name of [...commands, ...below, 'program show']) {
    const { stdout, status } = folkmoot(...name.split(' '), '--help');
    assert.equal(status, 0, name);
    assert.match(stdout, new RegExp(`^Usage: folkmoot ${name}`), name);
    assert.match(stdout, new RegExp(`\\nExamples?:\\n  (.* )?folkmoot (.* )?${name.split(' ')[0]}\\b`), name);
    assert.match(stdout, /\nExit status: 0 done/, name);
  }
});

test('wrong usage ends with 2 and a suggestion', () => {
  const unknown = folkmoot('bensh');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /unknown command 'bensh'.*Did you mean bench\?/);
  assert.equal(unknown.stdout, '');
  assert.match(folkmoot('keys', 'backup', '--forse', 'x').stderr, /Did you mean --force\?/);
  assert.match(folkmoot('keys', 'revok').stderr, /unknown command 'revok' of keys/);
  assert.equal(folkmoot('keys', 'revok').status, 2);
  assert.match(folkmoot('keys', 'backup').stderr, /missing required argument 'file'/);
  assert.equal(JSON.parse(folkmoot('--json', 'bensh').stdout).error.code, 'usage');
});

test('a failure says what happened and what to do, and ends with 1', () => {
  const { stdout, stderr, status } = folkmoot('bench', 'nothing');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^folkmoot: There is no benchmark "nothing"\.\nThere are: /);
  const { error } = JSON.parse(folkmoot('bench', 'nothing', '--json').stdout);
  assert.deepEqual(Object.keys(error), ['code', 'message', 'facts', 'help']);
  assert.equal(error.code, 'no-such-bench');
  assert.match(folkmoot('bench', 'scale', '--only', 'log,logs').stderr, /no part "logs"\.\nThere are: reducer, log/);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.match(run(['bench', 'nothing'], { FOLKMOOT_DEBUG: '1' }).stderr, /\n\s+at /);
});

test('keys: show, back up, restore', () => {
  const shown = JSON.parse(folkmoot('keys', 'show', '--json').stdout);
  assert.match(shown.account, /^0x[0-9a-f]{40}$/);
  assert.match(folkmoot('keys').stdout, new RegExp(`account +${shown.account}`));
  const file = join(folder, 'backup');
  assert.match(run(['keys', 'backup', file], { FOLKMOOT_PASSPHRASE: 'short' }).stderr, /at least 8 characters/);
  assert.match(folkmoot('keys', 'backup', file).stderr, /no terminal to ask on[\s\S]*--passphrase-file/);
  assert.equal(run(['keys', 'backup', file], { FOLKMOOT_PASSPHRASE: 'long enough' }).status, 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(run(['keys', 'backup', file], { FOLKMOOT_PASSPHRASE: 'long enough' }).stderr, /--force/);

  writeFileSync(join(folder, 'passphrase'), 'long enough\nsecond line\n');
  const other = join(folder, 'other');
  const restored = folkmoot('keys', 'restore', file, '--home', other, '--passphrase-file', join(folder, 'passphrase'));
  assert.match(restored.stdout, new RegExp(`Restored ${shown.account}`));
  assert.match(run(['keys', 'restore', file], { FOLKMOOT_PASSPHRASE: 'not that one' }).stderr, /does not open/);
  assert.match(run(['keys', 'restore', file], { FOLKMOOT_PASSPHRASE: 'long enough' }).stdout, /has these keys already/);
});

test('keys: restoring over other keys needs --force and says what would be lost', () => {
  const plain = join(folder, 'plain');
  folkmoot('keys', 'backup', plain, '--plain');
  const second = join(folder, 'second');
  const { account } = JSON.parse(folkmoot('keys', 'show', '--home', second, '--json').stdout);
  const refused = folkmoot('keys', 'restore', plain, '--home', second);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, new RegExp(`account here +${account}[\\s\\S]*credits of the account here`));
  const forced = folkmoot('keys', 'restore', plain, '--home', second, '--force');
  const aside = /are in (.*)\.\n/.exec(forced.stdout)![1]!;
  assert.equal(JSON.parse(readFileSync(aside, 'utf8')).account.id, account);
  writeFileSync(plain, readFileSync(plain, 'utf8').slice(0, 100));
  assert.match(folkmoot('keys', 'restore', plain).stderr, /not a whole backup/);
  assert.match(folkmoot('keys', 'restore', join(folder, 'absent')).stderr, /cannot be read[\s\S]*Check the path/);
});

test('the home is the option, else the environment, else the data directory', () => {
  const fileOf = (args: string[], env: Record<string, string>) =>
    JSON.parse(run(['keys', '--json', ...args], env).stdout).file;
  assert.equal(
    fileOf(['--home', join(folder, 'a')], { FOLKMOOT_HOME: join(folder, 'b') }),
    join(folder, 'a', 'keys.json'),
  );
  assert.equal(fileOf([], { FOLKMOOT_HOME: join(folder, 'b') }), join(folder, 'b', 'keys.json'));
  if (process.platform === 'linux') {
    assert.equal(
      fileOf([], { FOLKMOOT_HOME: '', XDG_DATA_HOME: join(folder, 'c') }),
      join(folder, 'c', 'folkmoot', 'keys.json'),
    );
  }
});

test('program show: a file, an artifact of a run in this home, and what is neither', () => {
  const { id, bytes } = evaluateProgram(PRESETS.tiny, 2);
  const file = join(folder, 'evaluate.onnx');
  writeFileSync(file, bytes);
  const { stdout } = folkmoot('program', 'show', file);
  assert.match(stdout, new RegExp(`^program +${id}\\n`));
  assert.match(stdout, /tokens +int32 +\[.*\n[\s\S]*operators +[\d,]+ nodes/);

  const objects = join(home, 'runs', 'ab'.repeat(32), 'store', 'objects', id.slice(0, 2));
  mkdirSync(objects, { recursive: true });
  writeFileSync(join(objects, id.slice(2)), bytes);
  assert.equal(folkmoot('program', 'show', id).stdout, stdout);
  assert.equal(JSON.parse(folkmoot('program', 'show', id.slice(0, 8), '--json').stdout).id, id);
  writeFileSync(join(objects, id.slice(2)), bytes.with(100, bytes[100]! ^ 1));
  assert.match(folkmoot('program', 'show', id).stderr, /does not hash to its name/);

  assert.match(folkmoot('program', 'show', 'ffffffff').stderr, /No run in this home has/);
  assert.match(folkmoot('program', 'show', folder).stderr, /not a file/);
  writeFileSync(file, 'text');
  assert.match(folkmoot('program', 'show', file).stderr, /not a program/);
});

test('a reader that leaves early is no failure', () => {
  const { stderr, status } = spawnSync(
    'sh',
    ['-c', '"$0" --help | true; "$0" bench --json | head -n 1', script],
    options(),
  );
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('test: a filter that matches nothing says so', () => {
  const { stderr, status } = folkmoot('test', 'no such file');
  assert.equal(status, 1);
  assert.match(stderr, /No test file has that in its path/);
});

test('test: a wrong pattern is told in a sentence', () => {
  const { stderr, status } = folkmoot('test', 'cli/src/ui/format', '--only', '(');
  assert.equal(status, 1);
  assert.match(stderr, /^folkmoot: --only takes a regular expression: .*\nWrite a backslash/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('test: ends with the count of the runner, and its exit code', () => {
  const { stdout, status } = folkmoot('test', 'core/src/canonical', 'cli/src/ui/format', '--only', 'numbers|widths');
  assert.equal(status, 0);
  assert.match(stdout, /tests [1-9]\d*\n[\s\S]*fail 0\n[\s\S]*duration_ms [\d.]+\n$/);
});

function folkmoot(...args: string[]) {
  return run(args, {});
}

function run(args: string[], env: Record<string, string>) {
  return spawnSync(script, args, options(env));
}

function options(extra: Record<string, string> = {}) {
  // The runner's own variables would make a runner inside it speak another language.
  const { NODE_TEST_CONTEXT: _context, FOLKMOOT_PASSPHRASE: _passphrase, ...env } = process.env;
  return { env: { ...env, FOLKMOOT_HOME: home, ...extra }, encoding: 'utf8' as const, timeout: 60_000, input: '' };
}
