/** A run whose creator is gone for ever, and a fork of it that survivors found: both go on, and neither hears the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, hashOf, isWorldError, sha256 } from '@folkmoot/core';
import { balanceOf, rowsBytes, sharesOf } from '@folkmoot/ledger';
import { askJson, retell } from '@folkmoot/node';
import { type Ancestry, AncestryReader, check } from '@folkmoot/protocol';
import { type Charter, charterBytes, headerId, recordBytes, runId, type VerifiedRecord } from '@folkmoot/records';
import { Referee } from './checkers/referee.ts';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const FORKED_AT = 4;

const linesOf = (person: SimPerson) => person.machine.disk.journals.get('log')!.split('\n').slice(0, -1);

/** A run that has lost its creator in mid-round, and what a survivor reads off its own disk. */
async function bereft(seed: string) {
  const parent = new SimRun(
    seed,
    simCharter({
      sharePolicy: { kind: 'carry', basisPoints: 5000 },
      credit: { perSegment: 15, vestingRounds: 1 },
    }),
  );
  for (let i = 0; i < 5; i++) parent.add();
  await parent.startAll();
  const [creator, ben] = parent.people as [SimPerson, SimPerson];
  assert.ok(await parent.until(() => ben.state!.finalized >= FORKED_AT && ben.state!.round.phase === 'train'));
  parent.crash(creator);
  const { finalized } = ben.state!;
  assert.ok(await parent.until(() => ben.state!.finalized >= finalized + 1), 'the others elect another sequencer');
  return { parent, ben, cleo: parent.people[2]!, ancestry: ancestryAt(parent.charter, ben, FORKED_AT) };
}

function ancestryAt(charter: Charter, { events, machine }: SimPerson, round: number): Ancestry {
  const end = events.find((event) => event.kind === 'finalized' && event.round === round);
  assert.ok(end?.kind === 'finalized');
  const reader = new AncestryReader(end.header, round);
  const lines = machine.disk.journals.get('log')!.split('\n').slice(0, -1);
  for (const { entry, events, state } of retell(charter, lines)) reader.take(entry, events, state);
  return reader.found!;
}

function forkOf(parent: Charter, { header, pedigree, rows }: Ancestry, change: Partial<Charter> = {}): Charter {
  const artifact = (bytes: Uint8Array) => ({ id: sha256(bytes), bytes: bytes.length });
  return {
    ...parent,
    nonce: hashOf('fork'),
    initialBase: header.nextBase,
    lineage: {
      ...{ parent: runId(parent), header: headerId(header), round: header.round },
      pedigree: artifact(pedigree),
      credits: artifact(rowsBytes(rows)),
    },
    ...change,
  };
}

/** What the founder of a fork has on its disk: the base, and the papers. */
function equip(person: SimPerson, parent: Charter, { header, pedigree, rows }: Ancestry, heir: SimPerson): void {
  const base = heir.machine.disk.artifacts.get(header.nextBase)!;
  for (const bytes of [base, pedigree, rowsBytes(rows), charterBytes(parent)])
    person.machine.disk.artifacts.set(sha256(bytes), bytes);
}

test('a run forks in mid-run after its creator is gone: both go on, and records of one are inert in the other', async () => {
  const { parent, ben, cleo, ancestry } = await bereft('fork');
  const read = ancestry.rows.map(
    (row) => JSON.parse(row) as [string, number, number, number, [number, number][], number],
  );
  const shares = sharesOf(
    read.map(([account, carried, earned, forfeited, locks, frozen]) => ({
      ...{ account, carried, earned, forfeited, frozen },
      locks: locks.map(([round, amount]) => ({ round, amount })),
    })),
    5000,
  );
  const fork = new SimRun('forked', forkOf(parent.charter, ancestry), {}, undefined, { run: parent, shares });
  const run = runId(fork.charter);
  const referee = new Referee({
    ...{ charter: fork.charter, run, shares, auditorsAreHonest: true, allHonest: true, calmFrom: 1, pretends: true },
    hasForgotten: () => false,
    isHonest: () => true,
    doesNoWork: () => false,
    keyOf: (device) => fork.people.find(({ id }) => id === device)?.key,
  });
  fork.watch = (person, notice) => referee.hear(person, notice);
  fork.add({ account: ben.account });
  fork.add({ account: cleo.account });
  fork.add();
  equip(fork.creator, parent.charter, ancestry, ben);
  await fork.startAll();
  const [founder, , newcomer] = fork.people as [SimPerson, SimPerson, SimPerson];
  const before = ben.state!.finalized;
  const bothGoOn = () => founder.state!.finalized >= 3 && ben.state!.finalized >= before + 2;
  assert.ok(await fork.until(bothGoOn), [...parent.troubles(), ...fork.troubles()].join('; '));
  assert.equal(referee.violation, undefined);

  const { state } = checkStory(fork, undefined, shares);
  await checkAgreement(fork);
  // Of whoever stays away as of whoever came, free and locked; a newcomer brings nothing.
  assert.ok(shares.length >= 4 && shares.some(({ free }) => free > 0) && shares.some(({ locked }) => locked > 0));
  for (const { account, free, locked } of shares) assert.equal(balanceOf(state.ledger, account).carried, free + locked);
  for (const person of [founder, newcomer]) assert.ok(balanceOf(state.ledger, person.account.id).earned > 0);
  assert.equal(balanceOf(state.ledger, newcomer.account.id).carried, 0);

  const told = (charter: Charter, person: SimPerson, brought?: typeof shares): VerifiedRecord[] =>
    [...retell(charter, linesOf(person), brought)].map(({ entry }) => entry.record);
  for (const record of told(parent.charter, ben)) assert.match(check(state, record) ?? 'taken', /another run’s/);
  for (const record of told(fork.charter, founder, shares))
    assert.match(check(ben.state!, record) ?? 'taken', /another run’s/);
  const stranger = told(parent.charter, ben).at(-1)!;
  const answer = askJson(newcomer.process!.network, founder.id, 'submit', JSON.parse(fromUtf8(recordBytes(stranger))));
  let heard: { accepted?: unknown; reason?: unknown } | undefined;
  void answer.then((receipt) => {
    heard = receipt as typeof heard;
  });
  assert.ok(await fork.until(() => heard !== undefined));
  assert.deepEqual([heard?.accepted, heard?.reason], [false, 'the record is another run’s']);
});

test('nobody joins a fork that claims the lineage and wipes the others out', async () => {
  const { parent, ben, ancestry } = await bereft('usurper');
  const honest = forkOf(parent.charter, ancestry);
  const { credits: _credits, ...without } = honest.lineage!;
  const loot = { ...ancestry, rows: [ancestry.rows[0]!] };
  for (const [name, charter, papers, reason] of [
    [
      'none',
      { ...honest, lineage: without },
      ancestry,
      /carries no credit, and the parent’s share policy carries 50 %/,
    ],
    ['other rows', forkOf(parent.charter, loot), loot, /not those of the header/],
  ] as const) {
    const fork = new SimRun(name, charter, {}, undefined, { run: parent, shares: [] });
    for (const options of [{ account: ben.account }, {}]) fork.add(options);
    equip(fork.creator, parent.charter, papers, ben);
    await fork.clock.drive(fork.start(fork.creator));
    const refused = fork.clock.drive(fork.start(fork.people[1]!));
    await assert.rejects(refused, (error) => isWorldError(error, 'lineage-false') && reason.test(error.message));
  }
});
