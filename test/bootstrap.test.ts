/**
 * The bootstrap script on machines that are not this one: a copy of it in a folder with spaces, and a PATH of which
 * this test makes every command that matters. The stand-ins for npm and pnpm write down that they were called.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
const [, nodeVersion, pnpmVersion] = /NODE_VERSION=(\S+)[\s\S]*PNPM_VERSION=(\S+)/.exec(readFileSync(script, 'utf8'))!;

test('gets what is missing, then runs the command with its arguments as they are', (t) => {
  const machine = new Machine(t);
  const { stdout, stderr, status } = machine.start(['a b', "c'd", '', '*', '--json']);
  assert.equal(stdout, '["a b","c\'d","","*","--json"]\n', stderr);
  assert.equal(status, 0);
  assert.match(stderr, /Getting Node/);
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install']);
});

test('a second start installs nothing and says nothing', (t) => {
  const machine = new Machine(t);
  machine.start([]);
  const { stderr } = machine.start([]);
  assert.equal(stderr, '');
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install']);
});

test('a changed lockfile installs the dependencies again, and not the tools', (t) => {
  const machine = new Machine(t);
  machine.start([]);
  writeFileSync(join(machine.root, 'pnpm-lock.yaml'), 'changed\n');
  machine.start([]);
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install', 'pnpm install']);
});

test('an interrupted install starts afresh', (t) => {
  const machine = new Machine(t);
  machine.start([]);
  rmSync(join(machine.root, '.tools', 'ready'));
  rmSync(join(machine.root, 'node_modules', '.folkmoot-stamp'));
  assert.equal(machine.start(['x']).stdout, '["x"]\n');
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install', 'npm install', 'pnpm install']);
});

test('a new Node and our pnpm on PATH are used as they are', (t) => {
  const machine = new Machine(t);
  machine.command('node', `[ "$1" = --version ] && echo v24.99.0 || exec '${process.execPath}' "$@"`);
  machine.command('pnpm', `[ "$1" = --version ] && echo ${pnpmVersion} || echo "pnpm $1" >>"$CALLS"`);
  assert.equal(machine.start(['x']).stdout, '["x"]\n');
  assert.deepEqual(machine.calls(), ['pnpm install']);
});

test('a pnpm of another major version is not used', (t) => {
  const machine = new Machine(t);
  machine.command('node', `[ "$1" = --version ] && echo v24.99.0 || exec '${process.execPath}' "$@"`);
  machine.command('pnpm', `[ "$1" = --version ] && echo 8.0.0 || echo "old pnpm $1" >>"$CALLS"`);
  machine.start([]);
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install']);
});

test('through a symbolic link and from any folder', (t) => {
  const machine = new Machine(t);
  mkdirSync(join(machine.folder, 'else where'));
  symlinkSync('../root with space/folkmoot', join(machine.folder, 'else where', 'first'));
  symlinkSync('else where/first', join(machine.folder, 'second'));
  const { stdout, stderr } = machine.start(['x'], { script: './second', cwd: machine.folder });
  assert.equal(stdout, '["x"]\n', stderr);
});

test('two first starts at once install once', async (t) => {
  const machine = new Machine(t, 'sleep 1; ');
  const outputs = await Promise.all([machine.startBeside(), machine.startBeside()]);
  assert.deepEqual(outputs, ['[]\n', '[]\n']);
  assert.deepEqual(machine.calls(), ['npm install', 'pnpm install']);
});

test('the lock of a process that is gone is removed', (t) => {
  const machine = new Machine(t);
  const gone = spawnSync('true');
  mkdirSync(join(machine.root, '.tools', 'lock'), { recursive: true });
  writeFileSync(join(machine.root, '.tools', 'lock', 'pid'), `${gone.pid}\n`);
  assert.equal(machine.start(['x']).stdout, '["x"]\n');
  assert.ok(!existsSync(join(machine.root, '.tools', 'lock')));
});

test('a failing install shows the end of the log and the next step, and leaves no lock', (t) => {
  const machine = new Machine(t);
  machine.command('npm', '[ "$1" = --version ] && exit 0; echo "npm error code ENOTFOUND"; exit 1');
  const { stdout, stderr, status } = machine.start(['--json']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /ENOTFOUND[\s\S]*registry was not reached/);
  assert.ok(!existsSync(join(machine.root, '.tools', 'lock')));
});

test('a registry behind a certificate that is not trusted is told as that', (t) => {
  const machine = new Machine(t);
  machine.command('npm', '[ "$1" = --version ] && exit 0; echo "npm error code SELF_SIGNED_CERT_IN_CHAIN"; exit 1');
  assert.match(machine.start([]).stderr, /certificate that is not trusted[\s\S]*NODE_EXTRA_CA_CERTS/);
});

test('tools that do not run on this machine are a failure, not an endless install', (t) => {
  const machine = new Machine(t);
  machine.command('npm', '[ "$1" = --version ] && exit 0; mkdir -p "$3/node_modules/.bin"');
  const { stderr, status } = machine.start([]);
  assert.equal(status, 1);
  assert.match(stderr, /does not run on this machine/);
});

test('without npm it says what to install', (t) => {
  const machine = new Machine(t);
  machine.command('npm', 'exit 127');
  const { stderr, status } = machine.start([]);
  assert.equal(status, 1);
  assert.match(stderr, /npm to get it[\s\S]*Install Node/);
});

test('a checkout that only its owner may write: refused at first, then read', { skip: asRoot() }, (t) => {
  const machine = new Machine(t);
  chmodSync(machine.root, 0o555);
  assert.match(machine.start([]).stderr, /may not write/);
  chmodSync(machine.root, 0o755);
  machine.start([]);
  chmodSync(machine.root, 0o555);
  assert.equal(machine.start(['x']).stdout, '["x"]\n');
  chmodSync(machine.root, 0o755);
});

function asRoot(): string | false {
  return process.getuid?.() === 0 ? 'root may write everywhere' : false;
}

/** A checkout with nothing installed, on a machine with Node 20 and npm. */
class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'folkmoot bootstrap '));
  readonly root = join(this.folder, 'root with space');
  readonly #bin = join(this.folder, 'bin');

  constructor(t: TestContext, delay = '') {
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const folder of ['apps/cli/src', 'packages/core']) mkdirSync(join(this.root, folder), { recursive: true });
    mkdirSync(this.#bin);
    copyFileSync(script, join(this.root, 'folkmoot'));
    for (const name of [
      'pnpm-lock.yaml',
      'pnpm-workspace.yaml',
      'package.json',
      'packages/core/package.json',
      'apps/cli/package.json',
    ]) {
      writeFileSync(join(this.root, name), '{}\n');
    }
    writeFileSync(
      join(this.root, 'apps/cli/src/main.ts'),
      'console.log(JSON.stringify(process.argv.slice(2)) as string);\n',
    );
    this.command('node', 'echo v20.20.2');
    this.command('npm', `[ "$1" = --version ] && exit 0; ${delay}echo "npm $1" >>"$CALLS"\n${npmInstall}`);
  }

  /** Puts a command at the front of this machine's PATH. */
  command(name: string, body: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  start(
    args: string[],
    at: { script?: string; cwd?: string } = {},
  ): { stdout: string; stderr: string; status: number | null } {
    const options = { cwd: at.cwd ?? '/', env: this.#env(), encoding: 'utf8' as const, timeout: 60_000 };
    return spawnSync(at.script ?? join(this.root, 'folkmoot'), args, options);
  }

  async startBeside(): Promise<string> {
    const child = spawn(join(this.root, 'folkmoot'), [], { env: this.#env(), stdio: ['ignore', 'pipe', 'inherit'] });
    return (await child.stdout.toArray()).join('');
  }

  /** What was installed so far, in order. */
  calls(): string[] {
    return readFileSync(this.#env().CALLS, 'utf8').trim().split('\n');
  }

  #env(): { PATH: string; HOME: string; CALLS: string } {
    return { PATH: `${this.#bin}:/usr/bin:/bin`, HOME: this.folder, CALLS: join(this.folder, 'calls') };
  }
}

/** What `npm install --prefix DIR` leaves: commands that answer with the wanted versions. `$3` is DIR. */
const npmInstall = `
mkdir -p "$3/node_modules/.bin"
cat >"$3/node_modules/.bin/node" <<'END'
#!/bin/sh
[ "$1" = --version ] && echo v${nodeVersion} || exec '${process.execPath}' "$@"
END
cat >"$3/node_modules/.bin/pnpm" <<'END'
#!/bin/sh
[ "$1" = --version ] && echo ${pnpmVersion} || echo "pnpm $1" >>"$CALLS"
END
chmod +x "$3/node_modules/.bin/node" "$3/node_modules/.bin/pnpm"`;
