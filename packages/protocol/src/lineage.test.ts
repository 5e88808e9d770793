import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accountKey,
  type Canonical,
  canonicalJson,
  type Hash,
  hashOf,
  revokeDevice,
  sha256,
  utf8,
} from '@folkmoot/core';
import { balanceOf, rowsBytes, rowText } from '@folkmoot/ledger';
import { type Charter, charterBytes, headerId, parseCharter, runId, signRecord } from '@folkmoot/records';
import { type Ancestry, AncestryReader, apply, carriedShares, checkLineage, initialState } from './index.ts';
import { recordText, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

const PARENT = testCharter({
  sharePolicy: { kind: 'carry', basisPoints: 3333 },
  credit: { perSegment: 10, vestingRounds: 1 },
});
const wait = (run: ScriptedRun, rounds: number) => run.run(() => run.state.finalized === rounds);

/** A run in which every way of being counted out occurs, and its ancestry at the end of round `rounds`. */
function parentRun(rounds: number, charter: Charter = PARENT): { run: ScriptedRun; ancestry: Ancestry } {
  const run = new ScriptedRun(
    charter,
    Array.from({ length: 7 }, (_, i) => new ScriptedMember(i + 1)),
  );
  for (const member of run.members) run.join(member);
  const [, ben, cleo, dora] = run.members as [ScriptedMember, ScriptedMember, ScriptedMember, ScriptedMember];
  assert.ok(wait(run, 1));
  ben.behaviour = () => 'silent';
  assert.equal(run.say(ben, 'leave', { abstains: true }), null);
  assert.ok(wait(run, 2));
  const { state } = run;
  const account = accountKey(new Uint8Array(32).fill(cleo.index + 100));
  const signature = revokeDevice(account, cleo.id, state.run);
  cleo.behaviour = () => 'silent';
  assert.equal(run.say(dora, 'revoke', { account: account.id, revoked: cleo.id, signature }), null);
  assert.ok(wait(run, 3));
  const commit = run.records.findLast(({ body }) => body.kind === 'commit' && body.device === dora.id)!;
  const other = signRecord({ ...commit.body, traceRoot: hashOf('other') } as typeof commit.body, dora.key);
  dora.behaviour = () => 'silent';
  assert.equal(run.say(run.members[4]!, 'fault', { first: recordText(commit), second: recordText(other) }), null);
  assert.ok(wait(run, rounds));
  return { run, ancestry: ancestryOf(run, rounds) };
}

function ancestryOf(run: ScriptedRun, round: number): Ancestry {
  const end = run.events.find((event) => event.kind === 'finalized' && event.round === round);
  assert.ok(end?.kind === 'finalized');
  const reader = new AncestryReader(end.header, round);
  const state = initialState(run.state.charter, []);
  for (const entry of run.entries) reader.take(entry, apply(state, entry), state);
  assert.ok(reader.found);
  return reader.found;
}

const artifactOf = (bytes: Uint8Array) => ({ id: sha256(bytes), bytes: bytes.length });

function forkOf(parent: Charter, { header, pedigree, rows }: Ancestry, change: Partial<Charter> = {}): Charter {
  return {
    ...parent,
    nonce: hashOf('fork'),
    initialBase: header.nextBase,
    lineage: {
      parent: runId(parent),
      header: headerId(header),
      round: header.round,
      pedigree: artifactOf(pedigree),
      credits: artifactOf(rowsBytes(rows)),
    },
    ...change,
  };
}

const { run, ancestry } = parentRun(6);
const fork = forkOf(PARENT, ancestry);

const reasonOf = async (charter: Charter, pedigree = ancestry.pedigree, parent = PARENT) => {
  const checked = await checkLineage(charter, parent, pedigree);
  return checked.ok ? undefined : checked.reason;
};

test('a stranger sees from the pedigree alone that the header was sealed, through leaving, revocation and fault', async () => {
  const checked = await checkLineage(fork, PARENT, ancestry.pedigree);
  assert.ok(checked.ok, checked.ok ? '' : checked.reason);
  assert.deepEqual(checked.value.header, ancestry.header);
  assert.ok(checked.value.seals.length >= 2 && checked.value.electors.length <= 4);
  const gone = linesOf(ancestry.pedigree).flatMap(({ link }) => link?.gone ?? []);
  assert.deepEqual(
    gone.map(([record]) => record.body.kind),
    ['leave', 'revoke', 'fault'],
  );
  assert.deepEqual(parseCharter(charterBytes(fork), runId(fork)), { ok: true, value: fork });
  const first = ancestryOf(run, 1);
  assert.equal(await reasonOf(forkOf(PARENT, first), first.pedigree), undefined);
});

test('what the fork carries is what the header commits to: free and locked apart, rounded down, and goes on in its ledger', async () => {
  const checked = await checkLineage(fork, PARENT, ancestry.pedigree);
  assert.ok(checked.ok);
  const shares = carriedShares(PARENT, checked.value, rowsBytes(ancestry.rows));
  assert.ok(shares.ok);
  const { index } = run.entries[ancestry.header.logIndex]!;
  const then = initialState(PARENT, []);
  for (const entry of run.entries.slice(0, index + 1)) apply(then, entry);
  const state = initialState(fork, shares.value);
  let locked = 0;
  for (const account of Object.keys(then.ledger.accounts)) {
    const before = balanceOf(then.ledger, account);
    const after = balanceOf(state.ledger, account);
    assert.equal(after.unlocked, Math.floor((before.unlocked * 3333) / 10_000));
    // Who of the silent owed an audit, the draw has said.
    const owes = then.ledger.accounts[account]!.frozen > 0;
    assert.equal(after.locked, owes ? 0 : Math.floor((before.locked * 3333) / 10_000));
    assert.deepEqual([after.earned, after.carried], [0, after.locked + after.unlocked]);
    locked += after.locked;
  }
  assert.ok(locked > 0 && shares.value.some(({ free }) => free > 0), 'both kinds are there');
  assert.throws(() => initialState(fork), /bug/, 'nobody folds a fork without what it carries');
});

test('a charter that claims the lineage and breaks one of its rules is refused with a reason', async () => {
  const { lineage } = fork;
  const other = hashOf('other');
  const bare = { ...lineage!, credits: undefined };
  delete bare.credits;
  for (const [change, reason] of [
    [{ lineage: undefined }, /no lineage/],
    [{ model: { ...PARENT.model, layers: PARENT.model.layers + 1 } }, /model/],
    [{ parameters: PARENT.parameters + 1 }, /model/],
    [{ tokenizer: other }, /tokenizer/],
    [{ licence: 'MIT' }, /licence/],
    [{ initialBase: other }, /base/],
    [{ lineage: { ...lineage!, header: other } }, /another header/],
    [{ lineage: { ...lineage!, round: 5 } }, /another round/],
    [{ lineage: bare }, /carries no credit, and the parent’s share policy carries 33.33 %/],
    [{ sharePolicy: { kind: 'none' } }, /carries less/],
    [{ sharePolicy: { kind: 'carry', basisPoints: 3332 } }, /carries less/],
    [{ sharePolicy: undefined }, /carries less/],
  ] as const)
    assert.match((await reasonOf({ ...fork, ...(change as Partial<Charter>) })) ?? 'taken', reason);
  assert.equal(await reasonOf({ ...fork, sharePolicy: { kind: 'carry', basisPoints: 10_000 } }), undefined);
  const miser = { ...PARENT, sharePolicy: { kind: 'none' } as const };
  assert.match((await reasonOf(fork, ancestry.pedigree, miser)) ?? 'taken', /carries none/);
});

test('credits that are not the header’s are refused', () => {
  const shown = { ...{ header: ancestry.header, electors: [], seals: [] }, term: 1 };
  const [first = '', ...rest] = ancestry.rows;
  const { account, carried, earned, forfeited, locks, frozen } = rowIn(first);
  const more = rowText({ account, carried, earned: earned + 10, forfeited, locks, frozen });
  for (const [rows, reason] of [
    [[more, ...rest], /not those of the header/],
    [rest, /not those of the header/],
    [[...rest, first], /out of order/],
    [[`${first} `, ...rest], /no row/],
  ] as const) {
    const shares = carriedShares(PARENT, shown, rowsBytes(rows));
    assert.match(shares.ok ? 'taken' : shares.reason, reason);
  }
});

test('a pedigree in which anything was changed shows nothing', async () => {
  const lines = linesOf(ancestry.pedigree);
  const links = lines.flatMap((line, i) => (line.link ? [i] : []));
  const [one = 0, two = 0, three = 0] = links;
  const changed = (change: (copy: Lines) => void): Promise<string> => {
    const copy = structuredClone(lines);
    change(copy);
    return reasonOf(fork, textOf(copy)).then((reason) => reason ?? 'taken');
  };
  const header = (i: number, field: string, value: unknown) => (copy: Lines) => {
    copy[i].link.certificate.header[field] = value;
  };
  const other = hashOf('other');
  const cases: [RegExp, (copy: Lines) => void][] = [
    [/neither/, (copy) => copy.splice(3, 0, {})],
    [/continue/, (copy) => copy.splice(3, 1)],
    [/not signed|signature/, (copy) => Object.assign(copy[2].entry, { atMs: copy[2].entry.atMs + 1 })],
    [/before round 1/, (copy) => copy.splice(one - 1, 1)],
    [/after the one/, (copy) => copy.splice(one, 0, copy[one - 1])],
    [/does not follow/, (copy) => copy.splice(two, 1)],
    [/another run/, header(two, 'run', other)],
    [/does not follow/, header(two, 'prev', other)],
    [/another base/, header(two, 'base', other)],
    [/later one/, header(two, 'round', 1)],
    [/signature/, header(two, 'creditsRoot', other)],
    [/signature/, header(two, 'nextBase', other)],
    [/electors whom/, (copy) => copy[two].link.electors.reverse()],
    [/electors whom/, (copy) => copy[two].link.electors.pop()],
    [/too few/, (copy) => copy[two].link.certificate.signers.splice(1)],
    [/not sealed|signature/, (copy) => Object.assign(copy[two].link.certificate, { kind: 'header' })],
    [/not a link/, (copy) => Object.assign(copy[two].link, { more: 1 })],
    // Who was not counted out in this round is counted in.
    [/without proof/, (copy) => copy[three].link.gone.push(copy[two].link.gone[0])],
    [/without proof/, (copy) => Object.assign(copy[two].link.gone[0][0].body, { abstains: false })],
    [/without proof/, (copy) => copy[three].link.gone[0].pop()],
    [/too few|no elector/, (copy) => copy[three].link.gone.pop()],
  ];
  // The quorum of the third is one of those who are left: with all seven it is too few.
  for (const [reason, change] of cases) assert.match(await changed(change), reason, String(change));
  assert.match((await reasonOf(fork, ancestry.pedigree.subarray(0, -1))) ?? 'taken', /cut off/);
  assert.match((await reasonOf(fork, new Uint8Array(0))) ?? 'taken', /no header/);
});

test('the seals of those who only signed prove nothing: a header record in the place of a seal', async () => {
  const lines = linesOf(ancestry.pedigree);
  const last = lines.at(-1)!;
  const { header } = last.link.certificate;
  const records = run.records.filter(
    ({ body }) => body.kind === 'header' && headerId(body.header) === headerId(header),
  );
  const signers = records.map(({ body, signature }) => {
    assert.ok(body.kind === 'header');
    return { device: body.device, seq: body.seq, seen: body.seen, preimage: body.preimage, signature };
  });
  last.link.certificate = { ...last.link.certificate, kind: 'header', signers };
  assert.match((await reasonOf(fork, textOf(lines))) ?? 'taken', /signed, and not sealed/);
});

test('a fork of a fork carries what was carried', async () => {
  const checked = await checkLineage(fork, PARENT, ancestry.pedigree);
  assert.ok(checked.ok);
  const shares = carriedShares(PARENT, checked.value, rowsBytes(ancestry.rows));
  assert.ok(shares.ok);
  const child = new ScriptedRun(
    fork,
    Array.from({ length: 3 }, (_, i) => new ScriptedMember(i + 1)),
    true,
    shares.value,
  );
  for (const member of child.members) child.join(member);
  assert.ok(wait(child, 4));
  const end = child.events.findLast((event) => event.kind === 'finalized')!;
  assert.ok(end.kind === 'finalized');
  const reader = new AncestryReader(end.header, end.round);
  const state = initialState(fork, shares.value);
  for (const entry of child.entries) reader.take(entry, apply(state, entry), state);
  const grandchild = forkOf(fork, reader.found!);
  const shown = await checkLineage(grandchild, fork, reader.found!.pedigree);
  assert.ok(shown.ok);
  const again = carriedShares(fork, shown.value, rowsBytes(reader.found!.rows));
  assert.ok(again.ok);
  // Whoever did not come to the fork brings a third of a third.
  const away = shares.value.filter(
    ({ account }) => !Object.values(child.state.members).some((m) => m.account === account),
  );
  assert.ok(away.length > 0);
  for (const { account, free, locked } of away) {
    const share: unknown = again.value.find((each) => each.account === account);
    // Vesting of one round is over in the fork's fourth: all of it is free.
    assert.deepEqual(share, { account, free: Math.floor(((free + locked) * 3333) / 10_000), locked: 0 });
  }
});

// biome-ignore lint/suspicious/noExplicitAny: a stranger’s JSON, to be bent
type Lines = any[];

const linesOf = (bytes: Uint8Array): Lines =>
  new TextDecoder()
    .decode(bytes)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const textOf = (lines: readonly unknown[]) =>
  utf8(lines.map((line) => `${canonicalJson(line as Canonical)}\n`).join(''));

function rowIn(text: string) {
  const [account, carried, earned, forfeited, locks, frozen] = JSON.parse(text) as Fields;
  return { account, carried, earned, forfeited, frozen, locks: locks.map(([round, amount]) => ({ round, amount })) };
}

type Fields = [
  account: Hash,
  carried: number,
  earned: number,
  forfeited: number,
  locks: [round: number, amount: number][],
  frozen: number,
];
