/** The commands that tell what is in the log, as a person types them: lines, headers, reasons, proofs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromUtf8, sha256 } from '@folkmoot/core';
import {
  entryBytes,
  entryIdOf,
  envelopeOf,
  type Header,
  recordSchema,
  signEntry,
  signRecord,
  verifyCertificate,
  verifyEntry,
} from '@folkmoot/records';
import { type SmallRun, smallRun } from './small-run.test-support.ts';
import { folkmoot, json, jsonLines, script } from './typed-command.test-support.ts';

let small: SmallRun;

before(async () => {
  small = await smallRun();
});
after(() => small?.close());

test('log: one line for each entry, filters, JSON', async () => {
  const before = small.ana.member.log.length;
  const [all, verdicts, aboutEve, last] = await Promise.all([
    folkmoot('log', '--home', small.homes.ana),
    folkmoot('log', '--home', small.homes.ana, '--kind', 'verdict,close'),
    jsonLines('log', '--home', small.homes.ana, '--member', 'eve', '--round', '1'),
    jsonLines('log', '--home', small.homes.ana, '--last', '2', '--run', small.run.slice(0, 8)),
  ]);
  const lines = all.stdout.trimEnd().split('\n');
  // The sequencer is alive, and tells the time meanwhile.
  assert.ok(lines.length >= before && lines.length <= small.ana.member.log.length, `${lines.length}`);
  assert.match(lines[0]!, /^ +0 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}ana +(tick|join) /);
  assert.match(all.stdout, /^ +\d+ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}ana +join +joins as "ana"/m);
  assert.match(all.stdout, /→ round 1 begins: .*ana.* train/);
  assert.match(all.stdout, /→ .*eve earned 0 credits: segment \d came out differently/);
  for (const line of verdicts.stdout.trimEnd().split('\n')) assert.match(line, / {2}(verdict|close {2}) {2}/);
  assert.ok(aboutEve.length > 3);
  assert.ok(aboutEve.every((entry) => entry.round === 1));
  assert.ok(aboutEve.some((entry) => entry.name !== 'eve' && entry.kind === 'verdict'));
  const indices = last.map(({ index }) => index as number);
  assert.equal(indices.length, 2);
  assert.ok(indices[1] === indices[0]! + 1 && indices[1] >= before - 1);
  const wrong = await folkmoot('log', '--home', small.homes.ana, '--kind', 'comit');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /no record of the kind "comit"[\s\S]*commit/);
});

test('log --kind: knows every kind that a record can have, says what each is, and tells scripts the same', async () => {
  const kinds = recordSchema.options.map(({ shape }) => shape.kind.value);
  assert.ok(kinds.includes('dispute') && kinds.includes('reproduced'));
  const { stdout: help } = await folkmoot('log', '--help');
  for (const kind of kinds) assert.match(help, new RegExp(`^  ${kind} +\\p{L}`, 'mu'), kind);
  const [every, all, wrong] = await Promise.all([
    jsonLines('log', '--home', small.homes.ben, '--kind', kinds.join(',')),
    jsonLines('log', '--home', small.homes.ben),
    jsonLines('log', '--home', small.homes.ben, '--kind', 'score,scores'),
  ]);
  // The log grows meanwhile.
  const both = Math.min(every.length, all.length);
  assert.ok(both > 10);
  assert.deepEqual(every.slice(0, both), all.slice(0, both));
  assert.equal(wrong[0]!.error.code, 'no-such-kind');
  for (const kind of kinds) assert.ok(wrong[0]!.error.help.includes(kind), kind);
});

test('log --headers: the chain, who has sealed each, and whether its certificate holds', async () => {
  const [all, chain, one, none] = await Promise.all([
    folkmoot('log', '--home', small.homes.ben, '--headers'),
    jsonLines('log', '--home', small.homes.ben, '--headers'),
    folkmoot('log', '--home', small.homes.ben, '--headers', '2'),
    folkmoot('log', '--home', small.homes.ben, '--headers', '99'),
  ]);
  const row = (round: number) =>
    new RegExp(`^ +${round}  [0-9a-f]{10}  [0-9a-f]{10}  [23] of [23]    +1  ana +holds$`, 'm');
  for (const round of [1, 2, 3]) assert.match(all.stdout, row(round));
  assert.deepEqual(
    chain.map(({ round, holds }) => [round, holds]),
    [1, 2, 3].map((round) => [round, true]),
  );
  const headers = chain.map(({ header }) => header as Header);
  assert.equal(headers[1]!.prev, chain[0]!.id);
  assert.equal(headers[2]!.base, headers[1]!.nextBase);
  // The certificate is portable: checked here without the log.
  const { certificate, electors } = chain[1] as unknown as { certificate: unknown; electors: string[] };
  assert.equal(verifyCertificate(certificate, electors).ok, true);
  assert.match(one.stdout, new RegExp(`^header ${chain[1]!.id}$`, 'm'));
  assert.match(one.stdout, /^ {2}sealed .*: [23] of [23], 2 needed$/m);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /no sealed header "99"/);
});

test('log --follow: prints what is added, and leaves a torn line alone', async () => {
  const home = small.copyOf('ben');
  const path = join(home, 'runs', small.run, 'log.jsonl');
  const text = readFileSync(path, 'utf8');
  const cut = text.split('\n').slice(0, 5).join('\n').length + 40;
  writeFileSync(path, text.slice(0, cut));
  const child = spawn(script, ['log', '--follow', '--json', '--home', home]);
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  const lines = () => output.split('\n').length - 1;
  for (let wait = 0; wait < 200 && lines() < 5; wait++) await sleep(50);
  assert.equal(lines(), 5);
  appendFileSync(path, text.slice(cut));
  const expected = text.split('\n').length - 1;
  for (let wait = 0; wait < 200 && lines() < expected; wait++) await sleep(50);
  assert.equal(lines(), expected);
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.on('exit', resolve));
  assert.equal(code, 0);
});

test('log --follow: says which entries were voted away, and goes on with what stands in their place', async () => {
  const home = small.copyOf('ben');
  const path = join(home, 'runs', small.run, 'log.jsonl');
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const common = lines.slice(0, -3);
  const child = spawn(script, ['log', '--follow', '--last', '1', '--json', '--home', home]);
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  const told = () =>
    output
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line));
  for (let wait = 0; wait < 200 && output === ''; wait++) await sleep(50);
  writeFileSync(path, [...common, tickAfter(common), ''].join('\n'));
  for (let wait = 0; wait < 200 && told().length < 2; wait++) await sleep(50);
  assert.deepEqual(told()[0], { turnedAfter: common.length - 1, takenBack: 3 });
  assert.deepEqual([told()[1].index, told()[1].kind, told()[1].name], [common.length, 'tick', 'ana']);
  child.kill('SIGINT');
  assert.equal(await new Promise((resolve) => child.on('exit', resolve)), 0);
});

test('why --proof: two statements of one device contradict each other, or they do not; with a home, and without', async () => {
  const folder = small.folder('proofs');
  mkdirSync(folder);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const path = join(small.homes.ben, 'runs', small.run, 'log.jsonl');
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  // What a sequencer signs that tells two stories: another entry in the place of one that is in the log.
  const two = [lines.at(-1)!, tickAfter(lines.slice(0, -1))];
  const { id } = small.ana.identity.device;
  const sealedBy = (line: string) => {
    const entry = verifyEntry(JSON.parse(line), id);
    assert.ok(entry.ok);
    return JSON.stringify(envelopeOf(entry.value, id));
  };
  const [first, second] = two.map(sealedBy) as [string, string];
  const kept = file('kept.json', JSON.stringify({ run: small.run, first, second }));
  const stranger = small.folder('stranger');
  for (const proof of [kept, file('lines.jsonl', two.join('\n')), file('pair.json', `[${two}]`)]) {
    const found = await json('why', '--proof', proof, '--home', stranger);
    assert.deepEqual([found.proves, found.device, found.what, found.run], [true, id, 'entry', small.run]);
  }
  const known = await folkmoot('why', '--proof', kept, '--home', small.homes.ben);
  assert.match(known.stdout, /^ana \(device [0-9a-f]{64}\) has signed two log entries for one place/);
  assert.match(known.stdout, /does not say so yet/);
  for (const [text, code] of [
    [JSON.stringify({ run: small.run, first, second: first }), 'proves-nothing'],
    [JSON.stringify({ run: small.run, first, second: second.replace(/"atMs":1/, '"atMs":2') }), 'proves-nothing'],
    [JSON.stringify({ run: sha256(new Uint8Array(1)), first, second }), 'proves-nothing'],
    [lines.slice(0, 2).join('\n'), 'proves-nothing'],
    [lines[0]!, 'proof-unreadable'],
    ['{', 'proof-unreadable'],
  ] as const) {
    const [told] = await jsonLines('why', '--proof', file('wrong', text), '--home', stranger);
    assert.equal(told.error.code, code, text.slice(0, 60));
  }
  assert.equal((await folkmoot('why', '--proof', join(folder, 'absent'))).status, 1);
  assert.equal((await folkmoot('why')).status, 2);
  assert.equal((await folkmoot('why', 'ana', '--proof', kept)).status, 2);
});

test('a damaged log is said to be damaged, at which entry', async () => {
  const home = small.copyOf('ben');
  const path = join(home, 'runs', small.run, 'log.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const damaged = lines.findIndex((line) => line.includes('"round":1'));
  lines[damaged] = lines[damaged]!.replace('"round":1', '"round":2');
  writeFileSync(path, lines.join('\n'));
  const { status, stderr } = await folkmoot('status', '--home', home);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`Entry ${damaged} of the stored log is damaged`));
});

test('why: a member, a round, a record, and what is neither', async () => {
  const home = small.homes.ben;
  const [ana, eve, round] = await Promise.all([
    json('why', 'ana', '--home', home),
    folkmoot('why', 'eve', '--home', home),
    json('why', '1', '--home', home),
  ]);
  assert.equal(ana.earned, 900);
  assert.equal(ana.rounds.length, 3);
  assert.match(
    ana.rounds[0].sentence,
    /^round 1: ana earned 300 credits: segment \d and the encoding were re-executed/,
  );
  assert.match(eve.stdout, /^eve: /);
  assert.match(eve.stdout, /round 1: eve earned 0 credits: segment \d came out differently when (ana|ben)/);
  assert.match(eve.stdout, /0 credits earned in 0 of 3 settled rounds/);
  assert.equal(round.trainers.length, 3);
  assert.ok(round.signers.length >= 2);
  const { commit, evidence } = round.trainers.find(({ name }: { name: string }) => name === 'eve');
  const verdict = await folkmoot('why', evidence.verdicts[0].slice(0, 10), '--home', home);
  assert.match(
    verdict.stdout,
    /^record [0-9a-f]{64}\n.*round 1: mismatch \(100\.0 %, first in .*\) for segment \d of eve\n/,
  );
  assert.equal((await json('why', commit, '--home', home)).recordKind, 'commit');
  assert.equal((await json('why', ana.device.slice(0, 6), '--home', home)).name, 'ana');
  const update = await folkmoot('why', round.trainers[0].update.slice(0, 12), '--home', home);
  assert.match(update.stdout, /named first in the reveal record/);
  const unknown = await folkmoot('why', 'nobody', '--home', home);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /no member, round or record "nobody"[\s\S]*members +ana, .*\n +rounds +1 to \d/);
});

/** An entry in which the sequencer tells the time, after these. */
function tickAfter(lines: readonly string[]): string {
  const { device } = small.ana.identity;
  const { index, atMs, term, record } = JSON.parse(lines.at(-1)!);
  const prev = entryIdOf(JSON.parse(lines.at(-1)!))!;
  const { run, round, base } = record.body;
  const seen = { index, id: prev };
  const tick = signRecord({ kind: 'tick', run, round, base, device: device.id, seq: 1e9, seen, term }, device);
  return fromUtf8(entryBytes(signEntry({ index: index + 1, prev, atMs: atMs + 1, term }, tick, device)));
}
