/** The example in Python, on a real segment: it accepts an honest claim and refuses others. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bytesOf } from '@folkmoot/core';
import {
  accumulateProgram,
  adamwProgram,
  momentSizes,
  muonProgram,
  normProgram,
  type OptimizerRules,
  trainProgram,
} from '@folkmoot/model';
import { createEngine } from '@folkmoot/tensor/node';
import { LocalRound, readMoments, readParams, writeMoments, zeroMoments } from '@folkmoot/training';
import {
  batches,
  initial,
  LAYOUT,
  MODEL,
  MUON_OPTIMIZER,
  OPTIMIZER,
  ROWS,
  TRAIN,
} from '@folkmoot/training/test-support';
import { type State, stateDistance } from './distance.ts';
import { replaySegment } from './replay-segment.ts';
import { type SegmentClaim, segmentFiles } from './segment-files.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'folkmoot-segment-'));
after(() => rmSync(folder, { recursive: true }));

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0,
);
const skip = !python && 'no python3 with numpy here';

async function honestClaim(optimizer: OptimizerRules, microRows = ROWS): Promise<SegmentClaim> {
  const engine = await createEngine('native', { threads: 1 });
  const train = microRows === ROWS ? TRAIN : trainProgram(MODEL, microRows);
  const local = await LocalRound.create({ engine, train, layout: LAYOUT, optimizer, microBatches: ROWS / microRows });
  const segment = { batches: batches('example', 4), globalStep: 2, deviceStep: 0 };
  const start: State = { params: initial(), moments: zeroMoments(momentSizes(optimizer, LAYOUT)) };
  const replayed = await replaySegment(local, start, segment);
  await engine.close();
  assert.ok(replayed.ok);
  return {
    about: { run: '00'.repeat(32), round: 1, segment: 1, member: `0x${'00'.repeat(20)}` },
    layout: LAYOUT,
    optimizer,
    tolerancePpm: 10_000,
    programs: {
      ...{ train, norm: normProgram(), optimizer: adamwProgram(optimizer) },
      muon: optimizer.kind === 'muon' ? muonProgram(optimizer, LAYOUT) : undefined,
      accumulate: microRows < ROWS ? accumulateProgram() : undefined,
    },
    segment,
    rows: ROWS,
    microRows,
    start: filesOf(start),
    end: filesOf(replayed.end),
  };
}

const filesOf = ({ params, moments }: State) => ({ params: bytesOf(params), moments: writeMoments(moments) });

function stateOf({ params, moments }: { params: Uint8Array; moments: Uint8Array }): State {
  const [arena, halves] = [readParams(params, LAYOUT.elements), readMoments(moments, momentSizes(OPTIMIZER, LAYOUT))];
  assert.ok(arena.ok && halves.ok);
  return { params: arena.value, moments: halves.value };
}

const honest = honestClaim(OPTIMIZER);

/** Runs the example on `claim` with the stand-in for `onnxruntime`. */
function check(claim: SegmentClaim, damage: (files: Map<string, Uint8Array>) => void = () => {}) {
  const files = segmentFiles(claim);
  damage(files);
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const { status, stdout, stderr } = spawnSync(python!, [join(root, 'examples/check_segment.py'), folder], {
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE: process.execPath,
      PYTHONPATH: join(root, 'packages/tensor/test/onnxruntime_stand_in'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  return { status, stdout, stderr };
}

for (const optimizer of [OPTIMIZER, MUON_OPTIMIZER])
  test(`${optimizer.kind}: an honest segment has the same bits in stock ONNX Runtime`, { skip }, async () => {
    const { status, stdout, stderr } = check(await (optimizer === OPTIMIZER ? honest : honestClaim(optimizer)));
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^(loss \d\.\d{6}\n){4}match: the same bits\n$/);
  });

test('micro-batches: an honest segment has the same bits in stock ONNX Runtime', { skip }, async () => {
  const { status, stdout, stderr } = check(await honestClaim(OPTIMIZER, 1));
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^(loss \d\.\d{6}\n){4}match: the same bits\n$/);
});

test('bits of another processor are within tolerance, other work is not', { skip }, async () => {
  const claim = await honest;
  const place = LAYOUT.tensors.find(({ name }) => name === 'model.embed_tokens.weight')!.offset + 5;
  const params = new Float32Array(claim.end.params.slice().buffer);
  params[place]! *= 1 + 2 ** -22;
  const near = { ...claim.end, params: bytesOf(params) };
  const other = check({ ...claim, end: near });
  assert.equal(other.status, 0, other.stderr);
  assert.match(
    other.stdout,
    /differs by [\d.]+ ppm of the change, most in model\.embed_tokens\.weight; 10000 are allowed/,
  );

  // One step of bfloat16 is rounding, what is beyond it counts: as much in Python as here.
  const [start, mine] = [stateOf(claim.start), stateOf(claim.end)];
  const m = mine.moments.m.map((half, i) => half + (i % 3));
  const rounded: State = { params, moments: { ...mine.moments, m } };
  const { distancePpm, tensor } = stateDistance(LAYOUT, start, rounded, mine);
  const { stdout } = check({ ...claim, tolerancePpm: distancePpm, end: filesOf(rounded) });
  const [, ppm, most] = /^differs by ([\d.]+) ppm of the change, most in (.*); /m.exec(stdout)!;
  assert.equal(most, tensor);
  assert.equal(Math.ceil(Number(ppm)), distancePpm);

  const lazy = check({ ...claim, end: claim.start });
  assert.equal(lazy.status, 1);
  assert.match(lazy.stdout, /differs by 1000000\.0 ppm/);
});

test('a damaged artifact is named', { skip }, async () => {
  const { status, stderr } = check(await honest, (files) => {
    const bytes = files.get('start.params')!.slice();
    bytes[7]! ^= 1;
    files.set('start.params', bytes);
  });
  assert.equal(status, 1);
  assert.match(stderr, /start\.params is damaged/);
});

test('tokens of a row end with its last target', async () => {
  const claim = await honest;
  const tokens = new Int32Array(segmentFiles(claim).get('tokens')!.slice().buffer);
  const { tokens: inputs, targets } = claim.segment.batches[0]!;
  const context = inputs.length / ROWS;
  assert.equal(tokens.length, 4 * ROWS * (context + 1));
  assert.deepEqual(tokens.subarray(0, context), inputs.subarray(0, context));
  assert.equal(tokens[context], targets[context - 1]);
  assert.equal(tokens[context + 1], inputs[context]);
});
