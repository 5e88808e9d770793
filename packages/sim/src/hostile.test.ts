import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { canonicalBytes, deviceKey, fromHex, fromUtf8, hashOf, isWorldError, type Network, utf8 } from '@folkmoot/core';
import { proveEquivocation } from '@folkmoot/protocol';
import { entryBytes, type RecordBody, recordBytes, signEntry, signRecord, verifyEntry } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const LIMITS = { idleMs: 3000, maxMessageBytes: 1 << 20 };

// One world for all: whatever a stranger has sent, the run goes on, which the last test checks.
const run = new SimRun('hostile', simCharter());
let stranger: Network;
let strangers = 0;

before(async () => {
  for (let i = 0; i < 3; i++) run.add();
  await run.startAll();
  await run.until(() => run.creator.state!.finalized >= 2);
});

// Each time another: the same one would be sent away for what it has sent before.
beforeEach(async () => {
  stranger = run.hub.join(hashOf('device', `stranger ${strangers++}`));
  for (const person of run.people) await run.clock.drive(stranger.connect(person.process!.network.addresses()[0]!));
});

const GARBAGE: [string, Uint8Array][] = [
  ['nothing', new Uint8Array(0)],
  ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x00, 0x80)],
  ['half a JSON value', utf8('{"body":{"kind":"commit"')],
  ['null', utf8('null')],
  ['a number', utf8('17')],
  ['an empty list', utf8('[]')],
  ['deep nesting', utf8('['.repeat(500) + ']'.repeat(500))],
  ['a key that is no property', utf8('{"__proto__":{"kind":"tick"},"constructor":1}')],
];

for (const protocol of ['submit', 'log', 'artifact', 'hello'])
  for (const [what, bytes] of GARBAGE)
    test(`${protocol}: ${what} does no harm`, async () => {
      for (const person of run.people) {
        const answer = await ask(person, protocol, bytes);
        if (protocol === 'submit' && person === run.creator)
          assert.match(answer ?? '', /"accepted":false,"reason":"not/);
        else assert.ok(answer === undefined || answer.length < 3000);
      }
      assert.deepEqual(run.hub.handlerErrors, []);
    });

for (const protocol of ['submit', 'log', 'artifact', 'hello'])
  test(`${protocol}: an oversized request is refused before it is read`, async () => {
    const answer = await ask(run.creator, protocol, new Uint8Array(64 * 1024 + 1).fill(0x20));
    assert.equal(answer, 'message-too-large');
  });

test('hello: an address that cannot be passed on is not kept', async () => {
  const { run: id } = run.creator.state!;
  const hello = utf8(`{"run":"${id}","addresses":["\\ud800"]}`);
  for (let i = 0; i < 2; i++) assert.match((await ask(run.creator, 'hello', hello))!, /"peers":\[\{/);
});

test('submit: a forged, repeated, foreign or misplaced record is refused with its reason', async () => {
  const { log } = run.creator.member!;
  const { key } = run.people[1]!;
  const said = Array.from({ length: log.length }, (_, i) => entryAt(i).record).find((r) => r.body.device === key.id)!;
  const place = { run: log.state.run, round: log.state.round.number, base: log.state.base };
  const seen = { index: log.state.head.index, id: log.state.head.id };
  const common = { ...place, device: key.id, seq: 1_000_000, seen, term: log.state.term };
  const tick = { kind: 'tick', ...common } as RecordBody;
  const other = deviceKey(fromHex(hashOf('device', 'other')));
  const cases: [string, Uint8Array][] = [
    ['repetition', recordBytes(said)],
    ['signature', recordBytes({ ...said, body: { ...said.body, seq: 9999 } } as never)],
    ['another run’s', recordBytes(signRecord({ ...tick, run: hashOf('another') } as RecordBody, key))],
    ['only the sequencer', recordBytes(signRecord(tick, key))],
    ['has not joined', recordBytes(signRecord({ ...tick, device: other.id } as RecordBody, other))],
    [
      'does not exist yet',
      recordBytes(signRecord({ ...tick, seen: { index: 1e9, id: hashOf('x') } } as RecordBody, key)),
    ],
    ['is about round', recordBytes(signRecord({ ...common, kind: 'leave', abstains: true, round: 77 }, key))],
    ['said in term 7', recordBytes(signRecord({ ...common, kind: 'leave', abstains: true, term: 7 }, key))],
    ['not to the log', recordBytes(signRecord({ ...common, kind: 'vote', header: seen.id, tail: 1, lock: null }, key))],
    ['not a record', canonicalBytes({ body: { ...tick, extra: 1 }, signature: '00'.repeat(64) } as never)],
    ['canonical', utf8(fromUtf8(recordBytes(signRecord(tick, key))).replace(/"round":\d+/, '"round":-0'))],
    ['canonical', loneSurrogate(common)],
  ];
  for (const [reason, bytes] of cases) {
    const answer = JSON.parse((await ask(run.creator, 'submit', bytes))!);
    assert.equal(answer.accepted, false, reason);
    assert.match(answer.reason, new RegExp(reason));
  }
  assert.deepEqual(run.hub.handlerErrors, []);
});

test('hello: nobody is talked out of an address that a member gave itself', async () => {
  const victim = run.people[2]!;
  const lie = { device: run.people[1]!.id, addresses: ['sim:nowhere'] };
  stranger.serve(
    'hello',
    async function* () {
      yield canonicalBytes({ run: run.creator.state!.run, peers: [lie, { device: 3 }, null] } as never);
    },
    { maxRequestBytes: 8192, maxConcurrentPerPeer: 2 },
  );
  await run.until(() => false, 10_000);
  assert.deepEqual(victim.member!.peers.addressesOf(run.people[1]!.id), run.people[1]!.process!.network.addresses());
});

test('two logs signed by one sequencer are a proof: it is voted away, barred, and the run goes on', async () => {
  const forked = new SimRun('forked', simCharter());
  for (let i = 0; i < 4; i++) forked.add();
  await forked.startAll();
  const [creator, ...others] = forked.people as [SimPerson, ...SimPerson[]];
  const alike = () => others.every(({ state }) => state!.head.id === creator.state!.head.id);
  await forked.until(() => creator.state!.finalized >= 1 && alike());
  const { log } = creator.member!;
  const { head, term } = structuredClone(log.state);
  const lines = Array.from({ length: head.index }, (_, index) => log.bytesAt(index));
  // The sequencer's device comes back with another log: same place, another time, and goes on from there.
  const last = log.entryAt(head.index);
  const place = { index: head.index, prev: last.prev, atMs: head.atMs + 1, term };
  const other = signEntry(place, last.record, creator.key);
  const next = { ...place, index: head.index + 1, prev: other.id, atMs: head.atMs + 2 };
  const forgery = [...lines, entryBytes(other), entryBytes(signEntry(next, last.record, creator.key))];
  forked.crash(creator);
  const impostor = forked.hub.join(creator.id);
  impostor.serve(
    'log',
    async function* (_peer, request, signal) {
      const { from } = JSON.parse(fromUtf8(request)) as { from: number };
      yield* forgery.slice(from);
      yield new Uint8Array(0);
      await forked.clock.sleep(600_000, signal).catch(() => {});
    },
    { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 },
  );
  const [victim] = others;
  await forked.clock.drive(impostor.connect(victim!.process!.network.addresses()[0]!));
  const proven = () => victim!.notices.find((notice) => notice.kind === 'fork-proven');
  assert.ok(await forked.until(() => proven() !== undefined, 60_000));
  const { device, proof } = proven()!;
  assert.equal(device, creator.id);
  const { run, first, second } = JSON.parse(proof) as { run: string; first: string; second: string };
  assert.deepEqual(proveEquivocation(run, first, second)?.what, 'entry');
  assert.equal(proveEquivocation(run, first, first), undefined);
  const { finalized } = victim!.state!;
  const done = () =>
    others.every(({ state }) => state!.members[creator.id]!.banned && state!.finalized > finalized + 1);
  assert.ok(await forked.until(done, 600_000), forked.troubles().slice(-4).join('\n'));
  for (const { state } of others) assert.ok(state!.term > 1 && state!.sequencer !== creator.id);
});

test('after all this the run goes on, and all agree', async () => {
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => run.people.every((person) => person.state!.finalized >= finalized + 2)));
  checkStory(run);
  await checkAgreement(run);
});

function entryAt(index: number) {
  const entry = verifyEntry(JSON.parse(fromUtf8(run.creator.member!.log.bytesAt(index))), run.creator.id);
  assert.ok(entry.ok);
  return entry.value;
}

/** A verdict whose tensor name is half a character: JSON can say it, canonical JSON cannot. */
function loneSurrogate(common: object): Uint8Array {
  const nothing = { stateRoot: null, salt: null, distancePpm: 0 };
  const said = { trainer: hashOf('t'), segment: 1, outcome: 'abstain', part: 'segment', ...nothing, tensor: '?' };
  const body = { kind: 'verdict', ...common, ...said };
  return utf8(JSON.stringify({ body, signature: '00'.repeat(64) }).replace('"?"', '"\\ud800"'));
}

/** The first message of the answer, or the code of the error. */
async function ask(person: SimPerson, protocol: string, bytes: Uint8Array): Promise<string | undefined> {
  const first = async () => {
    try {
      for await (const message of stranger.open(person.id, protocol, bytes, LIMITS)) return fromUtf8(message);
    } catch (error) {
      return isWorldError(error) ? error.code : String(error);
    }
    return undefined;
  };
  return run.clock.drive(first());
}
