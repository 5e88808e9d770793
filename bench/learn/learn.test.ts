import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createEngine } from '@folkmoot/tensor/node';
import { bitsPerParameter, PUBLISHED_TIMES, timesFewer, timesFewerPerSync } from './accounting.ts';
import { type Arm, armName, at, stepsBefore } from './arm.ts';
import { adamw, alone, DENSE, dense, group, lasting, sparse } from './build-arms.ts';
import { armsOf, finalLoss, lossBand } from './experiment.ts';
import { EXPERIMENTS, PLOTS } from './experiments/index.ts';
import { throughInt8 } from './int8.ts';
import { jobsOf, missing } from './learn.ts';
import { curvePlot, frontierPlot } from './plots.ts';
import { report } from './report.ts';
import { appendResult, readResults } from './results.ts';
import { type Result, runArm } from './run-arm.ts';
import { realText } from './text.ts';

/** Two rounds of two steps. */
const miniature = (arm: Arm) => lasting(2, arm, 2);
const RATE = adamw('0.003');
const SPARSE = miniature(group({ id: 'sparse', optimizer: RATE }));

function result(arm: Arm, seed: number, loss: number): Result {
  const none = { trainLoss: 0, bytes: 0, dropped: 0, honestDropped: 0, inputTokens: 0, cpuSeconds: 1, base: '' };
  return { arm: arm.id, seed, config: armName(arm), text: 'text', curve: [[arm.rounds, loss]], ...none };
}

test('a miniature of every kind of arm learns, the same twice, through the codec and the aggregator of a run', async () => {
  const whole = await realText();
  const { tokens, targets } = whole.holdout;
  const few = 8 * 64;
  const text = { ...whole, holdout: { tokens: tokens.subarray(0, few), targets: targets.subarray(0, few) } };
  const engine = await createEngine('native', { threads: 1 });
  const run = (arm: Arm) => runArm(arm, 1, text, engine);
  try {
    const once = await run(SPARSE);
    assert.equal(once.base, (await run(SPARSE)).base);
    assert.equal(once.curve.length, 2);
    assert.ok(finalLoss(once) < Math.log(257), String(finalLoss(once)));
    assert.equal(once.inputTokens, 2 * 2 * 1024);
    assert.ok(once.bytes > 0 && once.bytes < 8 * 4000, `${once.bytes} bytes`);
    assert.equal((await run({ ...SPARSE, everybodyMerges: true })).disagreements, 0);
    const variants: Arm[] = [
      { ...SPARSE, innerState: 'f32' },
      { ...SPARSE, innerState: 'int8' },
      { ...SPARSE, innerState: 'fresh' },
      { ...SPARSE, drop: 0.5 },
      { ...SPARSE, ahead: '0.5' },
      { ...SPARSE, tried: { select: 'shared', keep: 400, errorDecay: '0.95' } },
      { ...SPARSE, heavyBall: 0.5 },
      { ...SPARSE, momentum: '0.5' },
      {
        ...SPARSE,
        codec: [
          [0, DENSE],
          [1, sparse(38)],
        ],
      },
      miniature({ ...dense({ id: 'x', optimizer: RATE }), merge: 'directions' }),
      miniature({ ...dense({ id: 'x', optimizer: RATE }), merge: 'plain', attack: { kind: 'scaled', liars: 1 } }),
      miniature({ ...dense({ id: 'x', optimizer: RATE }), attack: { kind: 'scaled', liars: 1 } }),
      miniature(alone('x', RATE, 4)),
    ];
    const ends = new Set([once.base]);
    for (const variant of variants) {
      const { base, curve } = await run(variant);
      assert.ok(Number.isFinite(curve.at(-1)![1]));
      ends.add(base);
    }
    assert.equal(ends.size, variants.length + 1, 'every variant does something else');
  } finally {
    await engine.close();
  }
});

test('what was run is not run again; another definition, seed or text is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'learn-'));
  const file = join(folder, 'deep', 'raw.jsonl');
  try {
    assert.deepEqual(await readResults(file), []);
    await appendResult(file, result(SPARSE, 1, 2));
    await appendResult(file, result(SPARSE, 1, 1.5));
    const known = await readResults(file);
    assert.deepEqual(known.map(finalLoss), [1.5], 'of two lines for one run the last counts');
    const job = (arm: Arm, seed: number) => ({ experiment: 'L0', arm, seed });
    const jobs = [job(SPARSE, 1), job(SPARSE, 2), job({ ...SPARSE, rows: 2 }, 1), job({ ...SPARSE, id: 'renamed' }, 1)];
    assert.deepEqual(missing(jobs, known, 'text'), jobs.slice(1, 3));
    assert.equal(missing(jobs, known, 'other text').length, 4);
    await writeFile(file, `${await readFile(file, 'utf8')}{"half`);
    await assert.rejects(readResults(file), { code: 'learn-results' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('experiments: names are unique, jobs go seed by seed, and every band reads only arms that are run', () => {
  const byName = new Map<string, Arm>();
  for (const arm of EXPERIMENTS.flatMap(armsOf)) {
    const known = byName.get(arm.id) ?? arm;
    assert.equal(armName(known), armName(arm), `two arms are called ${arm.id}`);
    byName.set(arm.id, arm);
  }
  const jobs = jobsOf(EXPERIMENTS, 2);
  assert.equal(jobs.length, 2 * byName.size);
  assert.ok(jobs.slice(0, byName.size).every(({ seed }) => seed === 1));
  const names = new Set([...byName.values()].map(armName));
  for (const { bands } of EXPERIMENTS)
    for (const { holds } of bands)
      holds((arm) => {
        assert.ok(names.has(armName(arm)), `${arm.id} is run`);
        return undefined;
      });
});

test('bytes: from the charter’s codec, by round', () => {
  assert.equal(Math.round(PUBLISHED_TIMES), 4389);
  assert.equal(Math.round(timesFewerPerSync(sparse(64))), 219);
  assert.ok(bitsPerParameter(sparse(64)) < 600 / 4096 && bitsPerParameter(sparse(64)) > 599 / 4096);
  const half = {
    ...SPARSE,
    codec: [
      [0, DENSE],
      [1, sparse()],
    ],
  } as const;
  assert.equal(timesFewer(half), (32 * 4) / (8 + bitsPerParameter(sparse())));
  const late = {
    ...SPARSE,
    steps: [
      [0, 2],
      [1, 6],
    ],
  } as const;
  assert.equal(timesFewer(late), (32 * 8) / (2 * bitsPerParameter(sparse())));
  assert.equal(stepsBefore(late, 2), 8);
  assert.deepEqual(
    [0, 1, 5].map((round) => at(late.steps, round)),
    [2, 6, 6],
  );
});

test('8-bit moments are near', () => {
  const m = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i) / 10);
  const near = throughInt8({ m, v: m.map((value) => value * value) });
  for (let i = 0; i < m.length; i++) {
    assert.ok(Math.abs(near.m[i] - m[i]) <= 0.1 / 254 + 1e-9);
    assert.ok(Math.abs(Math.sqrt(near.v[i]) - Math.abs(m[i])) <= 0.1 / 510 + 1e-9);
  }
});

test('the report counts seeds; plots are SVG', async () => {
  const other = { ...SPARSE, id: 'other', rows: 2 };
  const experiment = {
    ...{
      id: 'L0',
      title: 'title',
      rows: [
        { label: 'one', arm: SPARSE },
        { label: 'two', arm: other, against: SPARSE },
      ],
    },
    bands: [
      lossBand('two is worse', [other, SPARSE], (two, one) => two > one),
      lossBand('never', [other], () => false),
    ],
  };
  const results = [
    result(SPARSE, 1, 2),
    result(SPARSE, 2, 2),
    result(SPARSE, 3, 2),
    result(other, 1, 2.1),
    result(other, 2, 2.2),
  ];
  const page = report([experiment], [...results, result(other, 3, 1.9)], []);
  assert.match(page, /two \| 2\.100 \| 2\.200 \| 1\.900 \| 2\.067 ± 0\.153 \| \+3\.3 % \(one\)/);
  assert.match(page, /\*\*holds:\*\* two is worse \(2 of 3 seeds\)/);
  assert.match(page, /\*\*missed:\*\* never \(0 of 3 seeds\)/);
  assert.match(report([experiment], [], []), /\*\*not run:\*\* two is worse/);
  for (const plot of [curvePlot, frontierPlot])
    assert.match(await plot('title', experiment.rows, results), /^<svg [\s\S]*title[\s\S]*<\/svg>\n$/);
  assert.ok(PLOTS.every(({ arms }) => arms.length > 3));
});
