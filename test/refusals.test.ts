/** What a person can get wrong, as processes: a clear message with the next step, exit code 1, nothing left running. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatInvite, parseInvite } from '@folkmoot/records';
import { openLog, type Process, processesNaming, until, World } from './harness.ts';

/** Each case: files by name, arguments, the code and what the message must name. */
const DATA_CASES: readonly [string, Record<string, string>, string[], string, RegExp][] = [
  [
    'a folder without text',
    { 'data/a.txt': '\0\0' },
    ['--data', 'data'],
    'data-empty',
    /no text to train on.*not UTF-8/,
  ],
  ['an empty folder', { 'data/.gitkeep': '' }, ['--data', 'data'], 'data-empty', /no text to train on/],
  ['a path that is not there', {}, ['--data', 'absent'], 'data-unreadable', /absent does not exist/],
  [
    'JSONL that is no JSON',
    { 'a.jsonl': '{"text": "fine"}\nnot json\n{"text": 3}\n' },
    ['--data', 'a.jsonl'],
    'jsonl-malformed',
    /a\.jsonl:2 is not a JSON object with text in "text"/,
  ],
  [
    'JSONL with the text elsewhere',
    { 'a.jsonl': '{"body": "fine"}\n' },
    ['--data', 'a.jsonl', '--text-column', 'content'],
    'jsonl-malformed',
    /a\.jsonl:1 .*"content"/,
  ],
  [
    'a vocabulary larger than the data allows',
    { 'a.txt': 'One sentence that is too short for so many tokens.' },
    ['--data', 'a.txt'],
    'vocabulary-too-large',
    /1024/,
  ],
  ['a preset that does not exist', {}, ['--preset', 'huge'], 'no-such-preset', /huge/],
  [
    'less memory than it takes',
    {},
    ['--memory', '100MB'],
    'memory-too-small',
    /needs? \d+ MiB.* 95\.4 MiB can be used/,
  ],
  ['a number that is none', {}, ['--rounds', 'many'], 'bad-number', /--rounds.*many/],
  ['a size that is none', {}, ['--store-limit', '-1'], 'bad-size', /"-1" is not a size/],
  ['a port that is none', {}, ['--port', '99999'], 'bad-number', /--port takes a port from 1 to 65535/],
  [
    'a name in place of an address',
    {},
    ['--listen', 'localhost'],
    'address-invalid',
    /"localhost" is not an IP address/,
  ],
];

for (const [name, files, args, code, message] of DATA_CASES)
  for (const command of ['data-empty', 'bad-number', 'bad-size', 'memory-too-small'].includes(code)
    ? ['create', 'up']
    : ['create'])
    test(`${command}: ${name}`, async (t) => {
      const world = new World(t);
      for (const [path, text] of Object.entries(files)) write(world, path, text);
      const at = args.map((arg) => (/^(data|absent|a\.)/.test(arg) ? join(world.folder, arg) : arg));
      const process = world.start('home', [command, '--yes', ...at]);
      await assertRefused(process, code, message);
      assert.deepEqual(processesNaming(world.folder) ?? [], [], 'nothing is left running');
    });

test('sharing is asked for; without a terminal and --yes nothing is founded', async (t) => {
  const world = new World(t);
  write(world, 'a.txt', 'text '.repeat(100));
  for (const data of [['--data', join(world.folder, 'a.txt')], []])
    await assertRefused(world.start('home', ['create', ...data]), 'confirmation-needed', /holds the invite/);
});

test('one member at work, and what must not happen beside it', async (t) => {
  const world = new World(t);
  const ana = await world.create('ana', []);
  const { invite: text, runId } = await ana.started();
  const invite = parseInvite(text);

  await t.test('a second process on the same home', async () => {
    const error = await assertRefused(
      world.start('ana', ana.args),
      'home-in-use',
      new RegExp(`Another process .${ana.pid}`),
    );
    assert.equal(error.facts.pid, ana.pid);
    assert.ok(!ana.isOver);
  });

  await t.test('a port that is taken', async (t) => {
    const port = await listen(t);
    const args = ['create', '--yes', '--data', join(import.meta.dirname), '--port', String(port)];
    const error = await assertRefused(
      world.start('taken', [...args, '--listen', '127.0.0.1']),
      'port-taken',
      /is taken/,
    );
    assert.match(error.message + JSON.stringify(error.facts), new RegExp(String(port)));
  });

  await t.test('a port for artifacts that is taken: told before anybody joins', async (t) => {
    const args = ['join', text, '--listen', '127.0.0.1', '--http', String(await listen(t))];
    await assertRefused(world.start('http', args), 'port-taken', /Artifacts cannot be served/);
    const members = Object.keys(openLog(ana.home, runId).now().members);
    assert.equal(members.length, 1);
  });

  const invites: [string, string, string, RegExp][] = [
    ['no invite at all', 'hello', 'invite-malformed', /not a Folkmoot invite/],
    ['an invite that is cut off', text.slice(0, -20), 'invite-malformed', /damaged or cut off/],
    ['an invite with a changed letter', change(text), 'invite-malformed', /damaged or cut off/],
    [
      'an invite to another run at this member’s address',
      formatInvite({ ...invite, run: 'ab'.repeat(32), header: 'ab'.repeat(32) }),
      'invite-foreign',
      /another run/,
    ],
    [
      'an invite that names a header of another history',
      formatInvite({ ...invite, header: 'cd'.repeat(32) }),
      'invite-foreign',
      /does not contain the header/,
    ],
    [
      'an invite to an address where nobody is',
      formatInvite({ ...invite, addresses: invite.addresses.map((address) => address.replace(/tcp\/\d+/, 'tcp/1')) }),
      'invite-unreachable',
      /No member of this run answers/,
    ],
  ];
  for (const [name, line, code, message] of invites)
    await t.test(name, async () => {
      const args = ['--listen', '127.0.0.1', '--threads', '1'];
      await assertRefused(world.start(`joiner ${code}`, ['join', line, ...args]), code, message);
    });

  await t.test('the member is unharmed; Ctrl+C ends it well, and the same command goes on with the run', async () => {
    ana.signal('SIGINT');
    const { runId: left } = await ana.summary();
    assert.equal(left, runId);
    const again = world.start('ana', ana.args);
    assert.equal((await again.started()).runId, runId);
    again.signal('SIGTERM');
    await again.summary();
  });

  await t.test('a damaged log is told, with the way out', async () => {
    const path = join(ana.home, 'runs', runId, 'log.jsonl');
    const whole = readFileSync(path, 'utf8');
    rmSync(join(ana.home, 'runs', runId, 'cells', 'snapshot'), { force: true });
    writeFileSync(
      path,
      whole.replace(/"atMs":(\d)/, (_, digit) => `"atMs":${(Number(digit) + 1) % 10}`),
    );
    await assertRefused(world.start('ana', ana.args), 'log-damaged', /Entry 0 of the stored log is damaged/);
    writeFileSync(path, whole);
    const again = world.start('ana', ana.args);
    await again.started();
    assert.ok(openLog(again.home, runId).now().head.index >= 1);
  });
});

test('Ctrl+C while a member waits for others who are gone', async (t) => {
  const world = new World(t);
  const ana = await world.create('ana', []);
  const ben = world.join('ben', (await ana.started()).invite, []);
  await ben.started();
  await Promise.all([ana.kill(), ben.kill()]);
  const again = world.start('ben', ben.args);
  // It has the run, so it waits for somebody to come back rather than fail.
  await until('ben to hold its home', () => processesNaming(join(world.folder, 'ben')) === undefined || holds(again));
  again.signal('SIGINT');
  // No code: it was not listening for the signal yet, which then ended it; a shell says 130 of that, too.
  assert.ok([0, 130, null].includes((await again.ended).code), again.output);
});

function holds({ home, pid }: Process): boolean {
  try {
    return JSON.parse(readFileSync(join(home, 'lock'), 'utf8')).pid === pid;
  } catch {
    return false;
  }
}

async function assertRefused(process: Process, code: string, message: RegExp) {
  const error = await process.failure();
  assert.equal(error.code, code, process.output);
  assert.match(error.message, message);
  assert.ok(error.help.length > 0, `${code} says what to do`);
  return error;
}

function write(world: World, path: string, text: string): void {
  mkdirSync(join(world.folder, path, '..'), { recursive: true });
  writeFileSync(join(world.folder, path), text);
}

/** Another letter in the middle: what it decodes to is no invite any more. */
function change(text: string): string {
  const at = text.indexOf('-') + 1;
  return `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
}

/** A port on which somebody else listens until the test ends. */
function listen(t: TestContext): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
