/** A run whose creator is gone, forked by a survivor as people type it: who joins brings its credit, and its work goes on. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { DATA, openLog, projectRoot, until, World } from './harness.ts';

const MODEL = {
  ...{ model_type: 'llama', vocab_size: 320, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ num_key_value_heads: 1, intermediate_size: 48, max_position_embeddings: 16, rms_norm_eps: 1e-5 },
  ...{ rope_theta: 10_000, tie_word_embeddings: true, hidden_act: 'silu', attention_bias: false },
};
const RULES = {
  ...{ batchRows: 2, stepsPerRound: 4, stepsPerSegment: 2 },
  timing: { openMs: 200, graceMs: 200 },
  credit: { perSegment: 10, vestingRounds: 1 },
  sharePolicy: { basisPoints: 7500 },
};
/** Audits are at most two rounds behind: what was earned in the first round is in this header. */
const AT = 4;
const HERE = ['--listen', '127.0.0.1', '--threads', '1'];

test('a survivor forks a run: lineage and credits come along, others join it, and a fork of the fork is fetched by invite', async (t) => {
  const world = new World(t);
  const [model, rules] = [join(world.folder, 'config.json'), join(world.folder, 'rules.json')];
  writeFileSync(model, JSON.stringify(MODEL));
  writeFileSync(rules, JSON.stringify(RULES));
  const ask = async (home: string, ...args: string[]) => JSON.parse((await folkmoot(world.home(home), args)).trim());

  const ana = await world.create('ana', ['--model', model, '--rules', rules, '--rounds', String(AT)]);
  const { invite, runId, member: anas } = await ana.started();
  const ben = world.join('ben', invite, ['--rounds', String(AT)]);
  const { member: bens } = await ben.started();
  const log = openLog(ben.home, runId);
  await log.until('the rounds', (state) => state.finalized === AT, [ana, ben]);
  await ana.kill();

  const fork = (...args: string[]) => world.start('ben', ['fork', ...HERE, '--name', 'ben', ...args]);
  const [early, same] = await Promise.all([fork('--at', '9').failure(), fork('--to', world.home('ben')).failure()]);
  assert.deepEqual([early.code, early.facts.finished], ['round-unfinished', `1 to ${AT}`]);
  assert.equal(same.code, 'fork-home');

  // Ben's member goes on in its own home meanwhile.
  const heir = fork('--at', String(AT), '--to', world.home('heir'), '--run-name', 'heir', '--rounds', '1');
  const founded = await heir.started();
  assert.deepEqual([founded.member, ben.isOver], [bens, false]);
  assert.notEqual(founded.runId, runId);
  const cleo = world.join('cleo', founded.invite, ['--rounds', '1']);
  await cleo.started();
  const heirs = await ask('heir', 'status');
  await until('the fork’s round', () => cleo.lines.some(({ type, round }) => type === 'round' && round === 1), [
    heir,
    cleo,
  ]);

  const { lineage, members } = await ask('cleo', 'status');
  assert.deepEqual([lineage.parent, lineage.round, lineage.accounts], [runId, AT, 2]);
  assert.equal(heirs.charter.initialBase, (await ask('ben', 'why', String(AT))).end.content.nextBase);
  const nextBase = members.find(({ name }: { name: string }) => name === 'cleo');
  assert.equal(nextBase.carried, 0);
  const [mine, gone] = [await ask('cleo', 'why', 'ben'), await ask('cleo', 'why', anas)];
  assert.ok(mine.carried > 0 && gone.carried > 0 && gone.joined === false);
  assert.equal(lineage.carried, mine.carried + gone.carried);
  const { stdout } = await run(['--home', world.home('cleo'), 'why', 'ben']);
  assert.match(
    stdout,
    new RegExp(
      `^${mine.carried} credits carried from round ${AT} of run ${runId.slice(0, 10)}, by its share policy`,
      'm',
    ),
  );

  // Two lineages in a row, from an invite alone, on other data in the same tokens.
  const way = ['--invite', founded.invite, '--to', world.home('doras'), '--data', DATA[0]!];
  const dora = world.start('dora', ['fork', '--yes', ...HERE, ...way]);
  const { runId: third } = await dora.started();
  const { lineage: again, charter } = await ask('doras', 'status', '--run', third);
  assert.deepEqual([again.parent, again.round], [founded.runId, 1]);
  assert.notEqual(charter.manifest, heirs.charter.manifest);
  assert.equal(charter.tokenizer, heirs.charter.tokenizer);
  assert.equal((await ask('doras', 'status', '--run', founded.runId)).finished, 1);

  // The same command goes on with its fork.
  await heir.kill();
  const risen = world.start('ben', heir.args);
  assert.equal((await risen.started()).runId, founded.runId);
});

const run = (args: string[]) => promisify(execFile)(join(projectRoot, 'folkmoot'), args);

async function folkmoot(home: string, args: readonly string[]): Promise<string> {
  return (await run(['--home', home, '--json', ...args])).stdout;
}
