/** Two members on two machines: network namespaces with an own address each, separate homes, `create` and `join` alone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { openLog, World } from './harness.ts';

const ADDRESSES = ['10.83.71.1', '10.83.71.2'] as const;

test('two members in two network namespaces train together, by create and join alone', async (t) => {
  const world = new World(t);
  const machines = twoMachines(t, world);
  if (!machines) return;
  const [here, there] = machines;
  const args = ['--listen', '0.0.0.0', '--rounds', '2', '--exit'];
  const ana = await world.create('ana', args, { behind: here });
  const { invite, runId, addresses } = await ana.started();
  assert.ok(
    addresses.some((address) => address.includes(ADDRESSES[0])),
    addresses.join(' '),
  );
  const ben = world.join('ben', invite, args, { behind: there });
  const [first, second] = await Promise.all([ana.summary(), ben.summary()]);
  assert.equal(first.rounds, 2);
  assert.equal(second.baseId, first.baseId);
  assert.deepEqual(second.credits, first.credits);
  assert.equal(Object.keys(first.credits).length, 2);
  for (const earned of Object.values(first.credits)) assert.ok(earned > 0);
  assert.equal(openLog(ana.home, runId).now().base, first.baseId);
});

/** Two namespaces joined by a cable, as commands to put before others; `undefined`, with the reason, where they cannot be had. */
function twoMachines(t: TestContext, world: World): [string[], string[]] | undefined {
  const names = ['a', 'b'].map((end) => `folkmoot-${process.pid}-${end}`) as [string, string];
  world.onClose(() => {
    for (const name of names) spawnSync('ip', ['netns', 'delete', name]);
  });
  const cables = ['a', 'b'].map((end) => `fm${process.pid}${end}`) as [string, string];
  const steps = [
    ...names.map((name) => ['netns', 'add', name]),
    // The cable goes with the namespaces.
    ['link', 'add', cables[0], 'netns', names[0], 'type', 'veth', 'peer', 'name', cables[1], 'netns', names[1]],
    ...names.flatMap((name, i) => [
      ['-n', name, 'address', 'add', `${ADDRESSES[i]}/24`, 'dev', cables[i]!],
      ['-n', name, 'link', 'set', cables[i]!, 'up'],
      ['-n', name, 'link', 'set', 'lo', 'up'],
    ]),
  ];
  for (const step of steps) {
    const { status, error, stderr } = spawnSync('ip', step, { encoding: 'utf8' });
    if (status === 0) continue;
    t.skip(`no network namespaces here: ip ${step.join(' ')}: ${(error?.message ?? stderr).trim()}`);
    return undefined;
  }
  return [
    ['ip', 'netns', 'exec', names[0]],
    ['ip', 'netns', 'exec', names[1]],
  ];
}
