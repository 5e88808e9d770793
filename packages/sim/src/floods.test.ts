/** Peers that ask too much, or nonsense: the others hardly notice. Counts, not times: the simulated world computes for free. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accountKey,
  deviceKey,
  fromHex,
  fromUtf8,
  hashOf,
  isWorldError,
  type Network,
  utf8,
  vouchForDevice,
} from '@folkmoot/core';
import { type RecordBody, recordBytes, signRecord } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const LIMITS = { idleMs: 3000, maxMessageBytes: 1 << 20 };

test('a flood of sound requests is answered at its rate; between an honest request and its answer come few of it', async () => {
  const { run, evil } = await flooded('sound');
  const honest = await stranger(run, 'honest');
  let answered = 0;
  let refused = 0;
  let isOver = false;
  const leave = signed(run, 'evil', { kind: 'leave', abstains: false });
  const asking = async () => {
    while (!isOver) {
      const answer = await ask(run, evil, 'submit', leave);
      if (answer === 'peer-unreachable') return;
      if (answer === 'peer-busy') refused++;
      else answered++;
    }
  };
  const flood = Array.from({ length: 8 }, asking);
  const startedMs = run.clock.now();
  for (let i = 0; i < 20; i++) {
    const before = answered;
    const answer = ask(run, honest, 'submit', signed(run, 'honest', { kind: 'leave', abstains: false }));
    assert.match((await run.clock.drive(answer))!, /has not joined/);
    // A burst, and what its rate gave meanwhile.
    assert.ok(answered - before <= 64 + 8, `${answered - before} of the flood came between`);
    await run.until(() => false, 500);
  }
  const passedMs = run.clock.now() - startedMs;
  assert.ok(answered >= 16, 'it is slowed first');
  assert.ok(answered <= 64 + (8 * passedMs) / 1000 + 1, `${answered} in ${passedMs} ms`);
  await run.until(() => refused >= 1000, 60_000);
  isOver = true;
  await run.clock.drive(Promise.all(flood));
  assert.ok(!run.creator.process!.network.peers().includes(evil.self), 'whoever does not stop is sent away');
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => run.people.every(({ state }) => state!.finalized >= finalized + 2)));
  checkStory(run);
  await checkAgreement(run);
});

test('whoever sends nonsense is sent away after a few messages, and heard no more for a while', async () => {
  const { run, evil } = await flooded('nonsense');
  const answers: (string | undefined)[] = [];
  for (let i = 0; i < 30; i++) answers.push(await run.clock.drive(ask(run, evil, 'submit', utf8('{"body":'))));
  assert.equal(answers.filter((answer) => answer?.includes('not JSON')).length, 10);
  assert.ok(!run.creator.process!.network.peers().includes(evil.self));
  await run.clock.drive(evil.connect(run.creator.process!.network.addresses()[0]!));
  assert.equal(await run.clock.drive(ask(run, evil, 'submit', utf8('{}'))), 'peer-busy');
});

test('one place cannot take all seats: so many newcomers at once, and others still come', async () => {
  const { run } = await flooded('swarm');
  const at = async (name: string, host: string) => {
    const network = await stranger(run, name, host);
    return run.clock.drive(ask(run, network, 'submit', joining(run, name)));
  };
  const swarm: (string | undefined)[] = [];
  for (let i = 0; i < 40; i++) swarm.push(await at(`sybil ${i}`, '2001:db8:0:0::/64'));
  assert.equal(swarm.filter((answer) => answer?.includes('"accepted":true')).length, 16);
  assert.match(swarm.at(-1)!, /too many newcomers from this address/);
  assert.match((await at('neighbour', '2001:db8:0:1::/64'))!, /"accepted":true/);
  assert.equal(Object.keys(run.creator.state!.members).length, 3 + 16 + 1);
});

/** A run of three that has begun, and a stranger who is connected to its creator. */
async function flooded(seed: string) {
  const run = new SimRun(`flood ${seed}`, simCharter());
  for (let i = 0; i < 3; i++) run.add();
  await run.startAll();
  await run.until(() => run.creator.state!.finalized >= 1);
  return { run, evil: await stranger(run, 'evil') };
}

async function stranger(run: SimRun, name: string, host?: string): Promise<Network> {
  const network = run.hub.join(keyOf(name).id);
  if (host) run.hub.place(network.self, host);
  await run.clock.drive(network.connect(run.creator.process!.network.addresses()[0]!));
  return network;
}

const keyOf = (name: string) => deviceKey(fromHex(hashOf('device', name)));

function signed(run: SimRun, name: string, said: object): Uint8Array {
  const { head, round, base, run: id, term } = run.creator.state!;
  const seen = { index: head.index, id: head.id };
  const key = keyOf(name);
  const body = { run: id, round: round.number, base, device: key.id, seq: 1, seen, term, ...said };
  return recordBytes(signRecord(body as RecordBody, key));
}

function joining(run: SimRun, name: string): Uint8Array {
  const account = accountKey(fromHex(hashOf('account', name)));
  const vouch = vouchForDevice(account, keyOf(name).id, run.creator.state!.run);
  return signed(run, name, { kind: 'join', account: account.id, vouch, name: 'x' });
}

/** The first message of the creator's answer, or the code of the error. */
async function ask(run: SimRun, network: Network, protocol: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    for await (const message of network.open(run.creator.id, protocol, bytes, LIMITS)) return fromUtf8(message);
  } catch (error) {
    return isWorldError(error) ? error.code : String(error);
  }
  return undefined;
}
