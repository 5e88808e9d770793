import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bytesOf, sha256 } from '@folkmoot/core';
import type { CodecRules } from '@folkmoot/records';
import type { Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { encodeUpdate, LocalRound, packBfloat16, type Segment, zeroError, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import { encodeHolds, reencode } from './compare-encode.ts';
import { arenaDistance, type State, stateDistance } from './distance.ts';
import { type Replayed, replaySegment } from './replay-segment.ts';
import { judgeEncode, judgeSegment, type Verdict, worse } from './verdict.ts';

const N = LAYOUT.elements;
const S = 5;
const TOLERANCE_PPM = 10_000;
const START: State = { params: initial(), moments: zeroMoments(N) };
const SPARSE: CodecRules = { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' };

const engines: Engine[] = [];
const rounds = {} as Record<EngineKind, LocalRound>;

before(async () => {
  for (const kind of ['native', 'exact'] as const) {
    const engine = await createEngine(kind, { threads: 1 });
    engines.push(engine);
    rounds[kind] = await LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER });
  }
});
after(() => Promise.all(engines.map((engine) => engine.close())));

const segmentAt = (first: number, steps = S, seed = 'assigned'): Segment => ({
  batches: batches(seed, 4 * S).slice(first, first + steps),
  globalStep: first,
  deviceStep: first,
});

type Trained = Extract<Replayed, { ok: true }>;

async function run(kind: EngineKind, start: State, segment: Segment): Promise<Trained> {
  const replayed = await replaySegment(rounds[kind], start, segment);
  assert.ok(replayed.ok, JSON.stringify(replayed));
  return replayed;
}

/** What an auditor on `kind` says of a trainer's claim for the segment at `first`. */
async function audit(kind: EngineKind, claim: Trained, start = START, first = 0): Promise<Verdict> {
  const mine = await run(kind, start, segmentAt(first));
  return judgeSegment(claim.ids, mine.ids, TOLERANCE_PPM, () => stateDistance(LAYOUT, start, claim.end, mine.end));
}

test('one kind of engine: equal bits are a match', async () => {
  for (const kind of ['native', 'exact'] as const)
    assert.deepEqual(await audit(kind, await run(kind, START, segmentAt(0))), { outcome: 'match' });
});

test('an exact auditor of a native trainer, and the reverse: within tolerance, with a wide margin', async () => {
  for (const [trainer, auditor] of [
    ['native', 'exact'],
    ['exact', 'native'],
  ] as const) {
    let start = START;
    for (let first = 0; first < 4 * S; first += S) {
      const claim = await run(trainer, start, segmentAt(first));
      const verdict = await audit(auditor, claim, start, first);
      assert.notEqual(verdict.outcome, 'mismatch', JSON.stringify(verdict));
      if (verdict.outcome === 'within') assert.ok(10 * verdict.distancePpm < TOLERANCE_PPM, JSON.stringify(verdict));
      start = claim.end;
    }
  }
});

test('less work, or other work, is outside of the tolerance by a wide margin', async () => {
  const later = await run('native', START, segmentAt(0));
  for (const [start, first] of [
    [START, 0],
    [later.end, S],
  ] as const) {
    const honest = await run('native', start, segmentAt(first));
    const oneOther = segmentAt(first);
    const cheats: Record<string, Trained> = {
      'a step less': await run('native', start, segmentAt(first, S - 1)),
      'other rows': await run('native', start, segmentAt(first, S, 'not assigned')),
      'one batch of five is another': await run('native', start, {
        ...oneOther,
        batches: [...oneOther.batches.slice(0, -1), ...batches('other', 1)],
      }),
      'invented moments': { ...honest, ids: { ...honest.ids, moments: sha256(new Uint8Array(1)) }, end: zeroV(honest) },
    };
    for (const [name, claim] of Object.entries(cheats)) {
      const verdict = await audit('exact', claim, start, first);
      assert.ok(verdict.outcome === 'mismatch' && verdict.part === 'segment', name);
      assert.ok(verdict.distancePpm > 5 * TOLERANCE_PPM, `${name}: ${verdict.distancePpm}`);
      assert.match(verdict.tensor, /^([mv] of )?model\./);
    }
  }
});

test('no work at all is exactly a million', async () => {
  const mine = await run('exact', START, segmentAt(0));
  assert.equal(stateDistance(LAYOUT, START, START, mine.end).distancePpm, 1_000_000);
});

test('an exact run has no tolerance', () => {
  const [a, b] = ['a', 'b'].map((name) => ({ params: sha256(Buffer.from(name)), moments: sha256(Buffer.from(name)) }));
  const verdict = judgeSegment(a, b, 0, () => ({ distancePpm: 0, tensor: '', first: '' }));
  assert.equal(verdict.outcome, 'mismatch');
  assert.equal(
    judgeSegment(a, { ...a, moments: b.moments }, 0, () => ({ distancePpm: 1, tensor: 'a', first: 'a' })).outcome,
    'mismatch',
  );
});

test('distances are per tensor, relative to the change, rounded up and capped', () => {
  const layout = {
    tensors: [
      { name: 'large', shape: [2], offset: 0, elements: 2 },
      { name: 'small', shape: [2], offset: 2, elements: 2 },
    ],
    elements: 4,
    decayElements: 4,
  };
  const start = Float32Array.of(1, 1, 1, 1);
  const mine = Float32Array.of(4, 5, 1.25, 1);
  const far = (...change: number[]) => {
    const claimed = start.map((value, i) => value + change[i]);
    return arenaDistance(layout, '', 1e-7, start, claimed, mine);
  };
  assert.deepEqual(far(3, 4, 0.25, 0), { distancePpm: 0, tensor: '', first: '' });
  assert.deepEqual(far(3, 5, 0.25, 0), { distancePpm: 200_000, tensor: 'large', first: 'large' });
  assert.deepEqual(far(3, 4, 0.25, 0.125), { distancePpm: 500_000, tensor: 'small', first: 'small' });
  assert.deepEqual(far(3, 4 + 2 ** -20, 0.25, 0), { distancePpm: 1, tensor: 'large', first: 'large' });
  assert.equal(far(3, 4, 0.25, 1e30).distancePpm, 1_000_000_000);
  // A tensor that stood still: the difference is measured against the floor.
  const still = arenaDistance(layout, '', 1e-7, start, Float32Array.of(1, 1, 1, 1 + 2 ** -23), start);
  assert.equal(still.distancePpm, Math.ceil((1e6 * 2 ** -23) / (1e-7 * Math.SQRT2)));
});

test('a start from which nothing finite comes is an answer', async () => {
  const params = initial();
  params[0] = 1e38;
  const replayed = await replaySegment(rounds.exact, { ...START, params }, segmentAt(0));
  assert.ok(!replayed.ok);
  assert.match(replayed.reason, /not finite\. It happens at step \d of the segment\.$/);
});

test('an encoding holds only with the memory that was carried', async () => {
  const { end } = await run('native', START, segmentAt(0));
  const result = { base: START.params, end: end.params, errorIn: zeroError(N) };
  const encoded = encodeUpdate(SPARSE, LAYOUT, result);
  assert.ok(encoded.ok);
  const claim = { update: sha256(encoded.bytes), errorOut: sha256(bytesOf(encoded.errorOut)) };
  const holds = (honest: typeof result, claimed = claim) => encodeHolds(claimed, reencode(SPARSE, LAYOUT, honest));
  assert.ok(holds(result));
  assert.deepEqual(judgeEncode(true), { outcome: 'match' });

  const invented = packBfloat16(new Float32Array(N).fill(0.01));
  assert.ok(!holds({ ...result, errorIn: invented }), 'forged error feedback');
  assert.ok(!holds({ ...result, end: end.params.map((value, i) => (i === 0 ? value + 1 : value)) }));
  assert.ok(!holds(result, { ...claim, errorOut: claim.update }));
  assert.ok(!holds(result, { ...claim, update: claim.errorOut }));
  assert.ok(!holds({ ...result, end: end.params.map(() => Number.NaN) }), 'no update comes of it');
});

test('the worse of two verdicts stands', () => {
  const within: Verdict = { outcome: 'within', distancePpm: 3, tensor: 'a', first: 'a' };
  const bad = judgeEncode(false);
  assert.equal(worse({ outcome: 'match' }, within), within);
  assert.equal(worse(within, { outcome: 'match' }), within);
  assert.equal(worse(within, bad), bad);
  const alsoBad: Verdict = { outcome: 'mismatch', part: 'segment', distancePpm: 1, tensor: 'a', first: 'a' };
  assert.equal(worse(alsoBad, bad), alsoBad);
});

function zeroV({ end }: Trained): State {
  return { params: end.params, moments: { m: end.moments.m, v: new Uint16Array(N) } };
}
