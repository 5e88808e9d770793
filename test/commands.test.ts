/** The commands over a run, as a person types them: a finished run of three members, one of whom is still there. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fromUtf8, sha256 } from '@folkmoot/core';
import { importHuggingFace, Tokenizer } from '@folkmoot/model';
import {
  entryBytes,
  entryIdOf,
  envelopeOf,
  type Header,
  parseInvite,
  signEntry,
  signRecord,
  verifyCertificate,
  verifyEntry,
} from '@folkmoot/records';
import { loadModel } from '@folkmoot/serve';
import { createEngine } from '@folkmoot/tensor/node';
import { foreignTokenizer } from '../packages/model/src/foreign-tokenizer.test-support.ts';
import { referenceLogits } from '../packages/serve/src/reference.test-support.ts';
import { type SmallRun, smallRun } from './small-run.test-support.ts';

const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
let small: SmallRun;

before(async () => {
  small = await smallRun();
});
after(() => small?.close());

test('status: members, credits, audits, invite; while the member runs, and where none does', async () => {
  const here = await json('status', '--home', small.homes.ana);
  assert.equal(here.pid, process.pid);
  assert.equal(here.run, small.run);
  assert.equal(here.finished, 3);
  assert.equal(here.base, small.ana.member.log.state.base);
  const byName = Object.fromEntries(here.members.map((member: { name: string }) => [member.name, member]));
  assert.equal(byName.ana.earned, 900);
  assert.equal(byName.ana.locked, 900);
  assert.equal(byName.ana.sequencer, true);
  assert.equal(byName.eve.earned, 0);
  assert.equal(byName.eve.audits.refused, 3);
  assert.equal(byName.ben.state, 'away');
  const { stdout } = await folkmoot('status', '--home', small.homes.ben);
  assert.match(stdout, /no member of this home is running/);
  assert.match(stdout, /3 rounds finished/);
  assert.match(stdout, /ben +[0-9a-f]{10} +away +900 +900 +0 +\d matched/);
  assert.match(stdout, /folkmoot join folkmoot1-/);
  const listed = await folkmoot('status', '--all', '--home', small.homes.ben);
  assert.match(listed.stdout, new RegExp(`^\\* ${small.run.slice(0, 16)} +small +3 rounds finished, 3 members`));
});

test('invite: the line with which a stranger finds the run', async () => {
  const invite = parseInvite((await folkmoot('invite', '--home', small.homes.ben)).stdout);
  assert.equal(invite.run, small.run);
  assert.equal(invite.header, small.ana.member.log.state.lastHeader);
  assert.equal(invite.addresses[0], small.ana.network.addresses()[0]);
});

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
  const home = copyOf('ben');
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
  const home = copyOf('ben');
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
  const home = copyOf('ben');
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

test('replay: an honest segment matches bit for bit, a free rider’s does not, exit status 3', async () => {
  const [honest, cheated] = await Promise.all([
    json('replay', '--member', 'ana', '--home', small.homes.ana),
    folkmoot('replay', '--member', 'eve', '--round', '1', '--home', small.homes.ana),
  ]);
  assert.equal(honest.outcome, 'match');
  assert.deepEqual(honest.claimed, honest.mine);
  assert.equal(honest.verdicts[0].outcome, 'match');
  assert.equal(cheated.status, 3);
  assert.match(cheated.stdout, /audited {2}by (ana|ben): mismatch/);
  assert.match(
    cheated.stdout,
    /mismatch: 100\.0 % of the change apart, most in \S+ \([\d.]+ % are allowed\); first differing tensor \S+\n$/,
  );
});

test('replay: another engine is measured by distance; a round from zeros needs no opening', async () => {
  const [exact, whole] = await Promise.all([
    json('replay', '--member', 'ana', '--round', '1', '--engine', 'exact', '--home', small.homes.ana),
    json('replay', '--member', 'ana', '--round', '1', '--segment', unopenedSegment(), '--home', small.homes.ana),
  ]);
  assert.equal(exact.outcome, 'within');
  assert.ok(exact.distancePpm > 0 && exact.distancePpm <= 10_000);
  assert.notEqual(exact.tensor, '');
  assert.equal(whole.outcome, 'match');
  assert.equal(whole.segment, null);
  assert.equal(whole.losses.length, 6);
});

test('replay --random: takes another where nobody can be reached who holds the first', async () => {
  const home = copyOf('ben');
  hideMembers(home);
  // Whatever is drawn first, the segments that ben trained or audited lie here.
  for (let i = 0; i < 3; i++) {
    const { outcome, member } = await json('replay', '--random', '--home', home);
    assert.equal(outcome, member === 'eve' ? 'mismatch' : 'match');
  }
});

test('replay: what was never opened is refused with a list of what was', async () => {
  const { status, stderr } = await folkmoot('replay', '--round', '77', '--home', small.homes.ana);
  assert.equal(status, 1);
  assert.match(stderr, /No such segment was opened: round 77\..*\n +can be replayed +round 1, segment \d of /);
  assert.match(
    (await folkmoot('replay', '--member', 'zoe', '--home', small.homes.ana)).stderr,
    /called "zoe"[\s\S]*ana/,
  );
});

test('replay: a changed byte is noticed and a missing artifact missed; both come from a member, and stay', async () => {
  const home = copyOf(auditorOfAna());
  const { params, moments } = openedBy('ana');
  flip(objectIn(home, params));
  rmSync(objectIn(home, moments));
  const again = await folkmoot('replay', '--member', 'ana', '--round', '1', '--home', home);
  assert.equal(again.status, 0, again.stderr);
  // A first round's first segment starts from the base, and which one is audited the draw decides.
  assert.match(again.stderr, /(parameters at the start of the segment|base of the round) \([0-9a-f]{10}\) is damaged/);
  assert.match(again.stderr, /fetching the moments at the start/);
  assert.match(again.stdout, /match: the same bits\n$/);
  for (const id of [params, moments]) assert.equal(sha256(readFileSync(objectIn(home, id))), id);
  const told = (await jsonLines('log', '--home', small.homes.ana)).length;
  assert.ok(told > 0 && told <= small.ana.member.log.length, 'the log is as it was, or longer');
});

test('replay: what nobody has is an error that says who was asked', async () => {
  const home = copyOf(auditorOfAna());
  hideMembers(home);
  flip(objectIn(home, openedBy('ana').params));
  const { status, stdout } = await folkmoot('replay', '--member', 'ana', '--round', '1', '--home', home, '--json');
  assert.equal(status, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, 'artifact-unavailable');
  assert.match(error.message, /is damaged in this home and could not be fetched/);
  assert.equal(error.facts.asked, 'nobody known');
});

test('replay --export: the folder that the example reads', async () => {
  const folder = small.folder('segment');
  const args = ['replay', '--member', 'ana', '--round', '1', '--home', small.homes.ana, '--export', folder];
  assert.equal((await folkmoot(...args)).status, 0);
  const segment = JSON.parse(readFileSync(join(folder, 'segment.json'), 'utf8'));
  assert.equal(segment.steps.length, small.charter.stepsPerSegment);
  for (const [name, id] of Object.entries(segment.artifacts))
    assert.equal(sha256(readFileSync(join(folder, name))), id);
  assert.equal(readFileSync(join(folder, 'tokens')).length, 4 * 2 * 2 * 17);
  assert.match((await folkmoot(...args)).stderr, /something in this folder[\s\S]*--force/);
});

test('generate: the same seed gives the same text, and another base another', async () => {
  const args = ['generate', 'export function', '--seed', '7', '--max-tokens', '12', '--home', small.homes.ana];
  const [first, second, early, plain] = await Promise.all([
    json(...args),
    json(...args),
    json(...args, '--round', '0'),
    folkmoot(...args),
  ]);
  // A young model may end its text early.
  assert.ok(first.tokens >= 1 && first.tokens <= 12);
  assert.equal(first.baseId, small.ana.member.log.state.base);
  assert.equal(second.text, first.text);
  assert.equal(early.baseId, small.charter.initialBase);
  assert.equal(plain.stdout, `export function${first.text}\n`);
  const wrong = await folkmoot('generate', 'x', '--base', 'ffff', '--home', small.homes.ana);
  assert.match(wrong.stderr, /no such base[\s\S]*\(round 0\)/);
  assert.match(
    (await folkmoot('generate', 'x', '--temperature', 'hot', '--home', small.homes.ana)).stderr,
    /temperature/,
  );
});

test('evaluate: a score that others measure again; one that was made up ends with exit status 3', async () => {
  const file = `${small.folder('scores')}.json`;
  const [score, early, plain] = await Promise.all([
    json('evaluate', '--rows', '24', '--to', file, '--home', small.homes.ana),
    json('evaluate', '--round', '0', '--engine', 'exact', '--home', small.homes.ana),
    folkmoot('evaluate', '--round', '1', '--rows', '8', '--home', small.homes.ben),
  ]);
  assert.equal(score.base, small.ana.member.log.state.base);
  assert.equal(score.program, small.charter.programs.evaluate);
  assert.equal(score.tokens, 24 * small.charter.model.context);
  assert.equal(new Set(score.rows).size, 24);
  assert.ok(score.nats < (early.nats / early.tokens) * score.tokens, 'three rounds have taught something');
  // Nothing learnt yet: each of 320 tokens is as likely as any other.
  assert.ok(Math.abs(early.perplexity - 320) < 8, `${early.perplexity}`);
  assert.equal(early.base, small.charter.initialBase);
  assert.equal(early.rows.length, small.charter.dataset.holdoutRows);
  assert.match(plain.stdout, /on 8 of \d+ held-out rows: 128 tokens, \d+ bytes of text/);
  assert.match(plain.stdout, /perplexity +\d+[\s\S]*bits per byte +\d\.\d{4}/);

  const forged = { ...score, nll: score.nll.map((loss: number, i: number) => (i === 5 ? loss * 0.999 : loss)) };
  forged.nats = forged.nll.reduce((sum: number, loss: number) => sum + loss, 0);
  forged.perplexity = Math.exp(forged.nats / forged.tokens);
  forged.bitsPerByte = forged.nats / forged.bytes / Math.LN2;
  const write = (name: string, value: object) => {
    writeFileSync(`${file}.${name}`, JSON.stringify(value));
    return `${file}.${name}`;
  };
  const home = ['--home', small.homes.ben];
  const [same, exact, caught, beyond, foreign, broken] = await Promise.all([
    folkmoot('evaluate', '--check', file, ...home),
    json('evaluate', '--check', file, '--engine', 'exact', ...home),
    folkmoot('evaluate', '--check', write('forged', forged), ...home),
    folkmoot('evaluate', '--check', write('beyond', { ...score, rows: score.rows.map(() => 1e6) }), ...home),
    folkmoot('evaluate', '--check', write('foreign', { ...score, run: 'ab'.repeat(32) }), ...home),
    folkmoot('evaluate', '--check', write('broken', { ...score, nll: [] }), ...home),
  ]);
  assert.equal(same.status, 0, same.stderr);
  assert.match(same.stdout, /match: the same bits in every row\n$/);
  assert.equal(exact.outcome, 'within');
  assert.ok(exact.distancePpm > 0 && exact.distancePpm < 100, `${exact.distancePpm} ppm`);
  assert.equal(caught.status, 3);
  assert.match(caught.stdout, new RegExp(`mismatch: row ${score.rows[5]} is 1000 ppm off; 200 ppm are allowed\\n$`));
  assert.equal(beyond.status, 3);
  assert.match(beyond.stdout, /mismatch: the hold-out has no row 1000000/);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /does not know that run/);
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /no score that can be checked[\s\S]*no positive loss/);
});

test('export: read by an independent forward pass and by @huggingface/tokenizers', async () => {
  const folder = small.folder('model');
  const exported = await json('export', '--to', folder, '--home', small.homes.ana);
  assert.equal(exported.baseId, small.ana.member.log.state.base);
  assert.deepEqual(readdirSync(folder).sort(), [...exported.files].sort());
  const card = readFileSync(join(folder, 'README.md'), 'utf8');
  assert.match(card, new RegExp(`run \\| \`${small.run}\``));
  assert.match(card, /\| `0x[0-9a-f]{40}` \| 900 \|/);
  assert.match(card, /licence \| documents/);

  const tokenizer = Tokenizer.fromJson(readFileSync(join(folder, 'tokenizer.json')));
  const theirs = foreignTokenizer(folder);
  const text = 'export function überall(x: number): string {\n  return `#{x}`;\n}';
  assert.deepEqual(theirs.encode(text).ids, tokenizer.encode(text));

  const file = new Uint8Array(readFileSync(join(folder, 'model.safetensors')));
  const { config, params } = importHuggingFace(readFileSync(join(folder, 'config.json'), 'utf8'), file);
  const engine = await createEngine('native', { threads: 1 });
  const model = await loadModel({ engine, config, params, tokenizer });
  const tokens = tokenizer.encode(text).slice(0, config.context);
  const ours = await model.nextLogits(tokens);
  const slow = referenceLogits(folder, tokens);
  await engine.close();
  const apart = ours.reduce((most, logit, i) => Math.max(most, Math.abs(logit - slow[i]!)), 0);
  assert.ok(apart <= 1e-4, `logits differ by ${apart}`);

  const again = await folkmoot('export', '--to', folder, '--home', small.homes.ana);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /something in this folder[\s\S]*--force/);
  assert.equal((await folkmoot('export', '--to', folder, '--force', '--home', small.homes.ana)).status, 0);
});

test('program show: the programs of the run', async () => {
  const { programs } = (await json('status', '--home', small.homes.ana)).charter;
  const { stdout } = await folkmoot('program', 'show', programs.train.slice(0, 10), '--home', small.homes.ana);
  assert.match(stdout, new RegExp(`^program +${programs.train}`));
});

test('a home without a run says so', async () => {
  const home = small.folder('empty');
  mkdirSync(home);
  const commands = [
    ['status'],
    ['status', '--all'],
    ['log'],
    ['why', 'ana'],
    ['invite'],
    ['replay'],
    ['generate', 'x'],
    ['evaluate'],
    ['export', '--to', join(home, 'model')],
  ];
  const results = await Promise.all(commands.map((command) => folkmoot(...command, '--home', home, '--json')));
  for (const [i, { status, stdout }] of results.entries()) {
    assert.equal(status, 1, commands[i]!.join(' '));
    assert.equal(JSON.parse(stdout).error.code, 'no-run', commands[i]!.join(' '));
  }
  assert.deepEqual(readdirSync(home), []);
  const other = await folkmoot('status', '--run', 'ffff', '--home', small.homes.ana);
  assert.match(other.stderr, /does not know that run/);
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

/** What the trainer opened in the audit of its first round. */
function openedBy(name: 'ana'): { params: string; moments: string; segment: number } {
  const { log } = small.ana.member;
  for (let index = 0; index < log.length; index++) {
    const body = log.recordAt(index);
    if (body.kind === 'open' && body.round === 1 && log.state.members[body.device]!.name === name) return body;
  }
  throw new Error(`${name} was not audited in round 1`);
}

/** Who fetched what ana opened in round 1: the draw decides, and timing decides the draw. */
function auditorOfAna(): keyof SmallRun['homes'] {
  const { log } = small.ana.member;
  const { members } = log.state;
  for (let index = 0; index < log.length; index++) {
    const body = log.recordAt(index);
    if (body.kind !== 'verdict' || body.round !== 1 || members[body.trainer]!.name !== 'ana') continue;
    return members[body.device]!.name as keyof SmallRun['homes'];
  }
  throw new Error('nobody judged ana in round 1');
}

function unopenedSegment(): string {
  return openedBy('ana').segment === 1 ? '2' : '1';
}

function copyOf(name: keyof SmallRun['homes']): string {
  const home = small.folder(name);
  cpSync(small.homes[name], home, { recursive: true });
  return home;
}

/** Makes the home forget every address. */
function hideMembers(home: string): void {
  rmSync(join(home, 'runs', small.run, 'cells'), { recursive: true });
  const note = join(home, 'runs', small.run, 'run.json');
  writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), doors: [], addresses: [] }));
}

function objectIn(home: string, id: string): string {
  return join(home, 'runs', small.run, 'store', 'objects', id.slice(0, 2), id.slice(2));
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

// biome-ignore lint/suspicious/noExplicitAny: what scripts get is JSON; each test looks at what it needs.
type Json = any;

async function json(...args: string[]): Promise<Json> {
  const lines = await jsonLines(...args);
  assert.equal(lines.length, 1, args.join(' '));
  assert.equal(lines[0].error, undefined, JSON.stringify(lines[0].error));
  return lines[0];
}

async function jsonLines(...args: string[]): Promise<Json[]> {
  const { stdout } = await folkmoot(...args, '--json');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Not spawnSync: the member in this process must go on answering meanwhile. */
function folkmoot(...args: string[]): Promise<{ stdout: string; stderr: string; status: number }> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return new Promise((resolve) => {
    const options = { env, timeout: 60_000, maxBuffer: 2 ** 26 };
    const child = execFile(script, args, options, (error, stdout, stderr) => {
      resolve({ stdout, stderr, status: error ? Number(error.code ?? -1) : 0 });
    });
    child.stdin?.end();
  });
}
