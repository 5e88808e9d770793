/** `folkmoot sim` as a person types it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'folkmoot sim '));

after(() => rmSync(folder, { recursive: true, force: true }));

test('a world says who earned what, what befell whom, and who looked; and draws it', () => {
  const html = join(folder, 'world.html');
  const { stdout, status } = sim('--seed', '3', '--nemesis', 'crash', '--adversary', 'free-rider=0.2', '--html', html);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /members: ana, ben, .*free-rider/);
  assert.match(stdout, /crash on \w+ for/);
  assert.match(stdout, /ana +honest +\d+ credits: \d+ /);
  assert.match(stdout, /free-rider +0 credits: /);
  assert.match(stdout, /I4 quorums [\d,]+, .*I8 copies/);
  assert.match(stdout, /nothing was wrong/);
  const page = readFileSync(html, 'utf8');
  for (const text of [
    'the world heals',
    'ana',
    'free-rider',
    'round 1',
    'No checker found anything wrong',
    '<title>credited:',
  ])
    assert.ok(page.includes(text), text);
  assert.doesNotMatch(page, /src=|href=|@import|url\((?!#)/, 'it needs no other file');
});

test('the same seed has the same trace; a plan is a world too', () => {
  const [one, other] = ['--calm', '--calm'].map((flag) =>
    json('--seed', '5', flag, '--rounds', '1', '--minutes', '0.1'),
  );
  assert.equal(one!.traceHash, other!.traceHash);
  const plan = { seed: '5', rules: {}, members: [{ name: 'x' }, { name: 'y' }, { name: 'z' }], weather: {}, blows: [] };
  const { people, violation } = json('--plan', JSON.stringify({ ...plan, chaosMs: 1000, rounds: 1 }));
  assert.deepEqual(
    (people as { name: string }[]).map(({ name }) => name),
    ['x', 'y', 'z'],
  );
  assert.equal(violation, undefined);
});

test('what it does not know it names, with what there is', () => {
  for (const [args, pattern] of [
    [['--nemesis', 'flood'], /no nemesis "flood".*crash/s],
    [['--adversary', 'saint'], /no adversary "saint".*free-rider/s],
    [['--plant', 'weeds'], /No bug is called "weeds"/],
    [['--loss', 'all'], /--loss is a number from 0 to 0.2/],
    [['--plan', '{'], /not JSON/],
    [['--plan', '{}'], /plan lacks a part/],
    [['--trace', 'x'], /--trace takes a whole number/],
    [['--html', join(folder, 'absent', 'world.html')], /timeline cannot be written there/],
  ] as const) {
    const { stderr, status } = sim(...args);
    assert.notEqual(status, 0);
    assert.match(stderr, pattern);
  }
});

test('nemeses, adversaries, checkers and bugs can be listed', () => {
  assert.match(sim('--list').stdout, /one-way-partition.*\n[\s\S]*adversaries: .*free-rider[\s\S]*checkers: .*credits/);
  assert.match(sim('--plant', 'list').stdout, /headers-of-other-logs +protocol/);
});

function sim(...args: string[]) {
  return spawnSync(script, ['sim', ...args], { encoding: 'utf8', env: { ...process.env, FOLKMOOT_HOME: folder } });
}

function json(...args: string[]): Record<string, unknown> {
  return JSON.parse(sim(...args, '--json').stdout);
}
