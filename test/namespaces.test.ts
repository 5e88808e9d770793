/** Two members on two machines: network namespaces with an own address each, separate homes, `create` and `join` alone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { openLog, World } from './harness.ts';
import { natLab, RELAY_ADDRESS, ROUTER_ADDRESS } from './nat-lab.test-support.ts';

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
  const doctor = world.start('doctor', ['doctor', '--network', '--invite', invite], { behind: there });
  assert.equal((await doctor.ended).code, 0, doctor.output);
  const { seenFrom, reachable, router, doors } = doctor.lines[0] as Record<string, unknown>;
  assert.deepEqual([seenFrom, reachable, router], [ADDRESSES[1], true, 'none'], doctor.output);
  const [door] = (doors as { way?: string; clockAheadMs?: number }[]).filter(({ way }) => way === 'direct');
  assert.ok(Math.abs(door!.clockAheadMs!) < 60_000);
  const ben = world.join('ben', invite, args, { behind: there });
  const [first, second] = await Promise.all([ana.summary(), ben.summary()]);
  assert.equal(first.rounds, 2);
  assert.equal(second.baseId, first.baseId);
  assert.deepEqual(second.credits, first.credits);
  assert.equal(Object.keys(first.credits).length, 2);
  for (const earned of Object.values(first.credits)) assert.ok(earned > 0);
  assert.equal(openLog(ana.home, runId).now().base, first.baseId);
});

test('two members behind two routers meet through a relay, connect directly, and train a round', async (t) => {
  const lab = natLab();
  if (typeof lab === 'string') return t.skip(`no routers here: ${lab}`);
  const world = new World(t);
  world.onClose(() => lab.remove());
  const relay = world.start('relay', ['relay', '--port', '4801'], { behind: lab.relay });
  const { addresses } = await relay.started();
  const at = addresses.find((address) => address.includes(RELAY_ADDRESS));
  assert.ok(at, addresses.join(' '));
  const args = ['--listen', '0.0.0.0', '--relay', at, '--rounds', '1', '--exit'];
  const ana = await world.create('ana', args, { behind: lab.homes[0] });
  const { invite } = await ana.started();
  const ben = world.join('ben', invite, args, { behind: lab.homes[1] });
  // The data alone is more than the relay carries: without a direct way there would be no round.
  const [first, second] = await Promise.all([ana.summary(), ben.summary()]);
  assert.deepEqual([first.rounds, second.baseId], [1, first.baseId]);
  assert.equal(Object.values(first.credits).filter((earned) => earned > 0).length, 2);
});

test('a member behind a router that speaks UPnP is reached at the port that it asked for', async (t) => {
  const lab = natLab({ upnp: true });
  if (typeof lab === 'string') return t.skip(`no such router here: ${lab}`);
  const world = new World(t);
  world.onClose(() => lab.remove());
  const doctor = world.start('doctor', ['doctor', '--network', '--upnp'], { behind: lab.homes[0] });
  await doctor.ended;
  assert.equal((doctor.lines[0] as { upnp: string }).upnp, 'works', doctor.output);
  const args = ['--listen', '0.0.0.0', '--rounds', '1', '--exit'];
  const ana = await world.create('ana', [...args, '--upnp'], { behind: lab.homes[0] });
  const { invite, addresses } = await ana.started();
  assert.ok(
    addresses.some((address) => address.includes(ROUTER_ADDRESS)),
    addresses.join(' '),
  );
  const ben = world.join('ben', invite, args, { behind: lab.relay });
  const [first, second] = await Promise.all([ana.summary(), ben.summary()]);
  assert.deepEqual([first.rounds, second.baseId], [1, first.baseId]);
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
