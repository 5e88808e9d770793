import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judged } from './network-findings.ts';
import { networkLines } from './network-lines.ts';

type Facts = Parameters<typeof judged>[0];

const FINE: Facts = {
  listening: { port: 4801, addresses: ['/ip4/192.168.1.2/tcp/4801'] },
  ipv4: 'private',
  ipv6: 'none',
  seenFrom: '203.0.113.9',
  reachable: true,
  reachableAt: ['/ip4/203.0.113.9/tcp/4801'],
  router: 'keeps-ports',
  relayed: [],
  upnp: 'not-asked',
  doors: [{ address: '/ip4/198.51.100.1/tcp/4801', way: 'direct', connectMs: 31, clockAheadMs: 40 }],
};
const RELAYED = ['/ip4/198.51.100.1/tcp/4801/p2p/x/p2p-circuit'];

test('what is fine is said so', () => {
  const findings = judged(FINE);
  assert.deepEqual([findings.problems, findings.canMeet], [[], true]);
  const text = networkLines(findings).join('\n');
  assert.match(text, /reachable {2}yes, at \/ip4\/203\.0\.113\.9\/tcp\/4801/);
  assert.match(text, /direct {2}\/ip4\/198\.51\.100\.1\/tcp\/4801: 31 ms, clock \+0\.0 s/);
  assert.match(text, /Nothing to mend/);
});

test('each trouble has its next step, and only a run without an open door is hopeless', () => {
  const shut = { address: '/ip4/198.51.100.1/tcp/4801', reason: 'nothing listens there' };
  const cases: [Partial<Facts>, RegExp, RegExp, boolean][] = [
    [{ doors: [] }, /nobody could be asked/, /--invite/, true],
    [{ doors: [shut] }, /No door/, /newer invite/, false],
    [{ doors: [{ address: 'x', way: 'relayed' }] }, /carries no artifacts/, /mirror/, true],
    [{ reachable: false, reachableAt: [] }, /cannot reach this machine/, /port 4801 on the router[\s\S]*--relay/, true],
    [{ reachable: false, reachableAt: [], upnp: 'works' }, /cannot reach/, /--upnp/, true],
    [{ reachable: false, reachableAt: [], router: 'changes-ports', relayed: RELAYED }, /changes port/, /mirror/, true],
    [{ doors: [{ ...FINE.doors[0]!, clockAheadMs: -60_000 }] }, /clock is 60 s ahead/, /set-ntp/, true],
  ];
  for (const [change, problem, help, canMeet] of cases) {
    const findings = judged({ ...FINE, ...change });
    assert.equal(findings.problems.length, 1, JSON.stringify(findings.problems));
    assert.match(findings.problems[0]!.problem, problem);
    assert.match(findings.problems[0]!.help, help);
    assert.equal(findings.canMeet, canMeet);
  }
  // Behind a router that keeps ports, with a place at a relay, members meet: nothing to mend.
  assert.deepEqual(judged({ ...FINE, reachable: false, reachableAt: [], relayed: RELAYED }).problems, []);
});
