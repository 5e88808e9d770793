/** Sequencers that leave out, and liars who say that one does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERSARIES } from '@folkmoot/adversaries';
import { type Canonical, canonicalBytes, type DeviceId, fromUtf8, type Network } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { askJson, type Conduct } from '@folkmoot/node';
import { parseRecord, recordBytes, type VerifiedRecord } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';

/** Ways to leave out what the victim has worked. */
const SILENCERS: Record<string, (isUnwanted: (record: VerifiedRecord) => boolean) => Conduct> = {
  'refuses without a reason in the rules': (isUnwanted) => leavingOut(isUnwanted, () => ({ reason: 'not now' })),
  'says that the rules refuse it': (isUnwanted) =>
    leavingOut(isUnwanted, ({ body }) => ({ reason: 'commits are not open', index: body.seen.index })),
  'refuses it at a place that is still to come': (isUnwanted) =>
    leavingOut(isUnwanted, ({ body }) => ({ reason: 'commits are not open', index: body.seen.index + 100_000 })),
  'says that it is in the log': (isUnwanted) =>
    leavingOut(isUnwanted, ({ body }) => ({ accepted: true, index: body.seen.index + 1 })),
  'never answers': (isUnwanted) => leavingOut(isUnwanted, () => undefined),
};

for (const [what, silencer] of Object.entries(SILENCERS))
  test(`a sequencer that ${what}: electors see it, another orders the log, and its victim is credited`, async () => {
    let victim: DeviceId | undefined;
    const isUnwanted = ({ body }: VerifiedRecord) => body.device === victim && ['commit', 'open'].includes(body.kind);
    const run = new SimRun(what, simCharter());
    run.add({ conduct: silencer(isUnwanted) });
    for (let i = 0; i < 4; i++) run.add();
    victim = run.people[3]!.id;
    await run.startAll();
    await isDeposedFor(run, run.people[3]!);
  });

test('the censor of the list of adversaries does not last', async () => {
  const run = new SimRun('censor', simCharter());
  run.add({ conduct: ADVERSARIES.censor.conduct() });
  for (let i = 0; i < 3; i++) run.add();
  await run.startAll();
  // Its victim is the first that has spoken.
  await isDeposedFor(run, run.people[1]!);
});

test('who shows records that the rules refuse, and one elector who votes in every round, depose nobody', async () => {
  const run = new SimRun('liars', simCharter());
  for (let i = 0; i < 3; i++) run.add();
  run.add({ conduct: deposer() });
  await run.startAll();
  const [creator, ...others] = run.people as [SimPerson, ...SimPerson[]];
  assert.ok(
    await run.until(() => others.every(({ state }) => state!.finalized >= 5), 900_000),
    run.troubles().join('\n'),
  );
  assert.equal(creator.state!.electors.length, 4);
  for (const { state } of run.people) assert.equal(state!.term, 1);
  for (const { notices } of run.people) assert.ok(!notices.some(({ kind }) => kind === 'left-out'));
});

test('where all are honest, lost messages and long delays bring about no complaint', async () => {
  const run = new SimRun('slow', simCharter(), { loss: 0.01, delayMs: { min: 50, max: 900 } });
  for (let i = 0; i < 4; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.people.every(({ state }) => state!.finalized >= 5), 900_000));
  assert.ok(run.people.every(({ state }) => state!.sequencer === run.creator.id));
});

test('whoever has the role by turn and is the last to hear of it leaves nothing out', async () => {
  const run = new SimRun('turns', simCharter());
  // Now and then it says for half a second what it would if it had not heard; whoever is refused says the same again, anew.
  const isUnaware = () => run.clock.now() % 7000 < 500;
  run.add({ conduct: leavingOut(isUnaware, () => ({ reason: 'this member does not order the log' })) });
  for (let i = 0; i < 4; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.people.every(({ state }) => state!.finalized >= 8), 900_000));
  const refused = run.people.flatMap(({ notices }) => notices.filter(({ kind }) => kind === 'left-out'));
  assert.deepEqual(refused, []);
  assert.equal(run.creator.state!.term, 1);
});

async function isDeposedFor(run: SimRun, victim: SimPerson): Promise<void> {
  const honest = run.people.slice(1);
  const isPaid = ({ account }: SimPerson) => balanceOf(victim.state!.ledger, account.id).earned > 0;
  assert.ok(await run.until(() => honest.every(isPaid), 300_000), run.troubles().slice(-3).join('\n'));
  for (const { state } of honest) assert.ok(state!.term > 1 && state!.sequencer !== run.creator.id);
  const before = victim.events.findIndex((event) => event.kind === 'term');
  const rounds = victim.events.slice(0, before).filter((event) => event.kind === 'finalized').length;
  assert.ok(rounds <= 4, `${rounds} rounds without the victim`);
  // It stays a member: leaving out is no proof, and costs the role alone.
  assert.equal(victim.state!.members[run.creator.id]!.banned, false);
}

/** Answers `submit` as `answer` says where a record is unwanted; not at all where it says nothing. */
function leavingOut(
  isUnwanted: (record: VerifiedRecord) => boolean,
  answer: (record: VerifiedRecord) => Record<string, Canonical> | undefined,
): Conduct {
  return {
    network: (network, { clock }) => {
      const serve = network.serve.bind(network);
      network.serve = (name, honest, limits) =>
        serve(
          name,
          name !== 'submit'
            ? honest
            : async function* (peer, request, signal) {
                const record = parseRecord(request);
                if (!record.ok || !isUnwanted(record.value)) return yield* honest(peer, request, signal);
                const said = answer(record.value);
                if (said) yield canonicalBytes({ accepted: false, ...said });
                else await clock.sleep(3_600_000, signal);
              },
          limits,
        );
      return network;
    },
  };
}

/** Votes for another sequencer after every round, and shows electors records that are none for the log. */
function deposer(): Conduct {
  let wire: Network | undefined;
  return {
    network: (network) => {
      wire = network;
      return network;
    },
    watch: async ({ voice, log }, _entry, events) => {
      if (!events.some(({ kind }) => kind === 'assigned')) return;
      const { round, base, lastHeader, run, term } = log.state;
      const place = { round: round.number, base };
      const vote = voice.sign('vote', { header: lastHeader, tail: term, lock: null }, { ...place, term: term + 1 });
      const refused = voice.sign('seal', { header: run, prev: lastHeader }, place);
      for (const peer of wire!.peers()) {
        const { body, signature } = vote;
        const votes = { run, votes: [{ body, signature }], locks: [] } as unknown as Canonical;
        await askJson(wire!, peer, 'votes', votes).catch(() => {});
        await askJson(wire!, peer, 'plead', JSON.parse(fromUtf8(recordBytes(refused)))).catch(() => {});
      }
    },
  };
}
