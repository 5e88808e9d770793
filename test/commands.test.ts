/** The commands over a run, as a person types them: a finished run of three members, one of whom is still there. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256 } from '@folkmoot/core';
import { importHuggingFace, Tokenizer } from '@folkmoot/model';
import { parseInvite } from '@folkmoot/records';
import { loadModel } from '@folkmoot/serve';
import { createEngine } from '@folkmoot/tensor/node';
import { foreignTokenizer } from '../packages/model/src/foreign-tokenizer.test-support.ts';
import { referenceLogits } from '../packages/serve/src/reference.test-support.ts';
import { type SmallRun, smallRun } from './small-run.test-support.ts';
import { folkmoot, json, jsonLines } from './typed-command.test-support.ts';

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
  const home = small.copyOf('ben');
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
  const home = small.copyOf(auditorOfAna());
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
  const home = small.copyOf(auditorOfAna());
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
