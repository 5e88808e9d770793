import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bytesOf, sha256 } from '@folkmoot/core';
import { momentSizes } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import type { Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import {
  encodeUpdate,
  LocalRound,
  packBfloat16,
  type Segment,
  unpackBfloat16,
  zeroError,
  zeroMoments,
} from '@folkmoot/training';
import { batches, initial, LAYOUT, MUON_OPTIMIZER, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import { CALIBRATION } from './calibration.ts';
import { arenaDistances, type State, stateDistance, towards, worstOf } from './distance.ts';
import { type Replayed, replaySegment } from './replay-segment.ts';
import { judge, type Verdict } from './verdict.ts';

const N = LAYOUT.elements;
const S = 5;
const TOLERANCE_PPM = CALIBRATION.tolerance.segmentPpm;
const OPTIMIZERS = { adamw: OPTIMIZER, muon: MUON_OPTIMIZER };
type OptimizerKind = keyof typeof OPTIMIZERS;
const SPARSE: CodecRules = { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' };

const engines: Engine[] = [];
const rounds = { adamw: {}, muon: {} } as Record<OptimizerKind, Record<EngineKind, LocalRound>>;

before(async () => {
  for (const kind of ['native', 'exact'] as const) {
    const engine = await createEngine(kind, { threads: 1 });
    engines.push(engine);
    for (const optimizer of Object.values(OPTIMIZERS))
      rounds[optimizer.kind][kind] = await LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer });
  }
});
after(() => Promise.all(engines.map((engine) => engine.close())));

const startOf = (optimizer: OptimizerKind): State => ({
  params: initial(),
  moments: zeroMoments(momentSizes(OPTIMIZERS[optimizer], LAYOUT)),
});
const START = startOf('adamw');

const segmentAt = (first: number, steps = S, seed = 'assigned'): Segment => ({
  batches: batches(seed, 4 * S).slice(first, first + steps),
  globalStep: first,
  deviceStep: first,
});

const MATCH: Verdict = { outcome: 'match', part: 'segment', distancePpm: 0, tensor: '', first: '' };

type Trained = Extract<Replayed, { ok: true }>;

/** On the optimizer that the state is of. */
async function run(kind: EngineKind, start: State, segment: Segment): Promise<Trained> {
  const optimizer = start.moments.v.length < N ? 'muon' : 'adamw';
  const replayed = await replaySegment(rounds[optimizer][kind], start, segment);
  assert.ok(replayed.ok, JSON.stringify(replayed));
  return replayed;
}

/** What an auditor on `kind` says of a trainer's claim for the segment at `first`. */
async function audit(kind: EngineKind, claim: Trained, start: State, first = 0): Promise<Verdict> {
  const mine = await run(kind, start, segmentAt(first));
  return judge({
    claimed: claim.ids,
    mine: mine.ids,
    tolerancePpm: TOLERANCE_PPM,
    distance: async () => stateDistance(LAYOUT, start, claim.end, mine.end),
    encodes: async () => true,
  });
}

for (const optimizer of ['adamw', 'muon'] as const) {
  test(`${optimizer}, one kind of engine: equal bits are a match`, async () => {
    const begin = startOf(optimizer);
    for (const kind of ['native', 'exact'] as const)
      assert.deepEqual(await audit(kind, await run(kind, begin, segmentAt(0)), begin), MATCH);
  });

  test(`${optimizer}, an exact auditor of a native trainer, and the reverse: within tolerance, with a wide margin`, async () => {
    for (const [trainer, auditor] of [
      ['native', 'exact'],
      ['exact', 'native'],
    ] as const) {
      let start = startOf(optimizer);
      for (let first = 0; first < 4 * S; first += S) {
        const claim = await run(trainer, start, segmentAt(first));
        const verdict = await audit(auditor, claim, start, first);
        assert.notEqual(verdict.outcome, 'mismatch', JSON.stringify(verdict));
        if (verdict.outcome === 'within') assert.ok(2 * verdict.distancePpm < TOLERANCE_PPM, JSON.stringify(verdict));
        start = claim.end;
      }
    }
  });

  test(`${optimizer}, less work, or other work, is outside of the tolerance by a wide margin`, async () => {
    const begin = startOf(optimizer);
    const later = await run('native', begin, segmentAt(0));
    for (const [start, first] of [
      [begin, 0],
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
        'invented moments': {
          ...honest,
          ids: { ...honest.ids, moments: sha256(new Uint8Array(1)) },
          end: zeroV(honest),
        },
      };
      for (const [name, claim] of Object.entries(cheats)) {
        const verdict = await audit('exact', claim, start, first);
        assert.ok(verdict.outcome === 'mismatch' && verdict.part === 'segment', name);
        assert.ok(verdict.distancePpm > 5 * TOLERANCE_PPM, `${name}: ${verdict.distancePpm}`);
        assert.match(verdict.tensor, /^([mv] of )?model\./);
      }
    }
  });
}

test('AdamW on all tensors is no substitute for Muon', async () => {
  const start = startOf('muon');
  const cheaper = await run('native', startOf('adamw'), segmentAt(0));
  const { m, v } = cheaper.end.moments;
  const end = { params: cheaper.end.params, moments: { m, v: v.slice(-start.moments.v.length) } };
  const mine = await run('exact', start, segmentAt(0));
  const { distancePpm, tensor } = stateDistance(LAYOUT, start, end, mine.end);
  assert.ok(distancePpm > 20 * TOLERANCE_PPM && /layers/.test(tensor), `${distancePpm} in ${tensor}`);
});

test('the second moments of a state are those of the last tensors', async () => {
  const { end } = await run('native', startOf('muon'), segmentAt(0));
  for (const [place, tensor] of [
    [0, 'v of model.embed_tokens.weight'],
    [end.moments.v.length - 1, 'v of model.norm.weight'],
  ] as const) {
    const v = end.moments.v.slice();
    v[place] = 0x7000; // A number beyond everything.
    const claimed = { ...end, moments: { ...end.moments, v } };
    const distance = stateDistance(LAYOUT, startOf('muon'), claimed, end);
    assert.deepEqual([distance.tensor, distance.first], [tensor, tensor]);
  }
});

test('no work at all is exactly a million', async () => {
  const mine = await run('exact', START, segmentAt(0));
  assert.equal(stateDistance(LAYOUT, START, START, mine.end).distancePpm, 1_000_000);
});

test('a verdict: ids first, then distance, then the encoding', async () => {
  const [a, b] = ['a', 'b'].map((name) => ({ params: sha256(Buffer.from(name)), moments: sha256(Buffer.from(name)) }));
  const far = (distancePpm: number) => async () => ({ distancePpm, tensor: 'worst', first: 'first' });
  const never = () => Promise.reject(new Error('not asked for'));
  const yes = async () => true;
  const no = async () => false;
  const verdict = async (
    ...[claimed, mine, tolerancePpm, distance, encodes]: [
      typeof a,
      typeof a,
      number,
      ReturnType<typeof far>,
      typeof yes,
    ]
  ) => {
    const { outcome, part, distancePpm } = await judge({ claimed, mine, tolerancePpm, distance, encodes });
    return [outcome, part, distancePpm];
  };
  assert.deepEqual(await verdict(a, a, 0, never, yes), ['match', 'segment', 0]);
  assert.deepEqual(await verdict(a, a, 0, never, no), ['mismatch', 'encode', 0]);
  assert.deepEqual(await verdict(a, b, 10, far(10), yes), ['within', 'segment', 10]);
  assert.deepEqual(await verdict(a, b, 10, far(10), no), ['mismatch', 'encode', 0]);
  assert.deepEqual(await verdict(a, b, 10, far(11), never), ['mismatch', 'segment', 11]);
  assert.deepEqual(await verdict(a, { ...a, moments: b.moments }, 10, far(0), yes), ['within', 'segment', 1]);
  assert.deepEqual(await verdict(a, b, 0, far(0), never), ['mismatch', 'segment', 1], 'exact has no tolerance');
});

test('distances are per tensor, relative to the change, rounded up and capped', () => {
  const layout = {
    tensors: [
      { name: 'large', shape: [2], offset: 0, elements: 2 },
      { name: 'small', shape: [2], offset: 2, elements: 2 },
    ],
    elements: 4,
    blocks: { count: 0, elements: 0 },
    matrixElements: 4,
  };
  const start = Float32Array.of(1, 1, 1, 1);
  const mine = Float32Array.of(4, 5, 1.25, 1);
  const far = (...change: number[]) => {
    const claimed = start.map((value, i) => value + change[i]);
    return worstOf(arenaDistances(layout, '', 1e-7, start, { claimed, near: mine, mine }));
  };
  assert.deepEqual(far(3, 4, 0.25, 0), { distancePpm: 0, tensor: '', first: '' });
  assert.deepEqual(far(3, 5, 0.25, 0), { distancePpm: 200_000, tensor: 'large', first: 'large' });
  assert.deepEqual(far(3, 4, 0.25, 0.125), { distancePpm: 500_000, tensor: 'small', first: 'small' });
  assert.deepEqual(far(3, 4 + 2 ** -20, 0.25, 0), { distancePpm: 1, tensor: 'large', first: 'large' });
  assert.equal(far(3, 4, 0.25, 1e30).distancePpm, 1_000_000_000);
  // A tensor that stood still: the difference is measured against the floor.
  const moved = Float32Array.of(1, 1, 1, 1 + 2 ** -23);
  const still = arenaDistances(layout, '', 1e-7, start, { claimed: moved, near: start, mine: start });
  assert.equal(worstOf(still).distancePpm, Math.ceil((1e6 * 2 ** -23) / (1e-7 * Math.SQRT2)));
});

test('of a rounded moment only what is beyond one step of bfloat16 counts', () => {
  const values = Float32Array.of(0, -0, 1, 1, 1, -1, -1, 2 ** -126, 0, 3e-41, 0);
  const claims = Float32Array.of(0, 0, 1, 1 + 2 ** -7, 1 - 2 ** -8, -1 - 2 ** -7, 2, -(2 ** -126), 9e-41, -3e-41, 1);
  const [mine, claimed] = [packBfloat16(values), packBfloat16(claims)];
  const near = unpackBfloat16(towards(claimed, mine));
  // Neighbours are as good as equal; what is further away comes nearer by one step, through both zeros as through one.
  const [up, down] = [2 ** -126 - 2 ** -133, 2 ** -133];
  assert.deepEqual(
    [...near],
    [0, 0, 1, 1 + 2 ** -7, 1 - 2 ** -8, -1 - 2 ** -7, -1 + 2 ** -8, up, 9.183549615799121e-41, 0, down],
  );
  const everyOther = (half: Uint16Array) => half.map((value, i) => (i % 2 ? value + 1 : value));
  const honest = { params: START.params, moments: { m: everyOther(claimed), v: claimed } };
  assert.deepEqual(towards(honest.moments.m, claimed), honest.moments.m);
});

test('a start from which nothing finite comes is an answer', async () => {
  const params = initial();
  params[LAYOUT.tensors.find(({ name }) => name === 'model.embed_tokens.weight')!.offset] = 1e38;
  const replayed = await replaySegment(rounds.adamw.exact, { ...START, params }, segmentAt(0));
  assert.ok(!replayed.ok);
  assert.match(replayed.reason, /not finite\. It happens at step \d of the segment\.$/);
});

test('an encoding holds only with the memory that was carried', async () => {
  const { end } = await run('native', START, segmentAt(0));
  const result = { base: START.params, end: end.params, errorIn: zeroError(N) };
  const encoded = encodeUpdate(SPARSE, LAYOUT, result);
  assert.ok(encoded.ok);
  const claim = { update: sha256(encoded.bytes), errorOut: sha256(bytesOf(encoded.errorOut)) };
  const holds = (honest: typeof result, claimed = claim) => {
    const mine = encodeUpdate(SPARSE, LAYOUT, honest);
    return mine.ok && sha256(mine.bytes) === claimed.update && sha256(bytesOf(mine.errorOut)) === claimed.errorOut;
  };
  assert.ok(holds(result));

  const invented = packBfloat16(new Float32Array(N).fill(0.01));
  assert.ok(!holds({ ...result, errorIn: invented }), 'forged error feedback');
  assert.ok(!holds({ ...result, end: end.params.map((value, i) => (i === 0 ? value + 1 : value)) }));
  assert.ok(!holds(result, { ...claim, errorOut: claim.update }));
  assert.ok(!holds(result, { ...claim, update: claim.errorOut }));
  assert.ok(!holds({ ...result, end: end.params.map(() => Number.NaN) }), 'no update comes of it');
});

function zeroV({ end }: Trained): State {
  return { params: end.params, moments: { m: end.moments.m, v: new Uint16Array(end.moments.v.length) } };
}
