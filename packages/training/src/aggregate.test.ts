import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerMedian } from '@folkmoot/core';
import fc from 'fast-check';
import { type Aggregate, aggregate, aggregateId, applyAggregate, type Submission } from './aggregate.ts';
import { decodeUpdate, encodeUpdate, type Update } from './codec.ts';
import { forEachEntry } from './codec-sparse.ts';
import { leaveOneOutCosines } from './direction.ts';
import { divideHalfAway } from './fixed-point.ts';
import { changes, DENSE, layoutOf, SPARSE } from './shapes.test-support.ts';
import { innerProduct } from './update-algebra.ts';

const layout = layoutOf(4500, 700, 60);
const N = layout.elements;
const CODECS = [DENSE, SPARSE];

function updateOf(rules: typeof DENSE, change: Float32Array): Update {
  const encoded = encodeUpdate(rules, layout, {
    base: change,
    end: new Float32Array(N),
    errorIn: new Uint16Array(N),
  });
  assert.ok(encoded.ok);
  const decoded = decodeUpdate(rules, layout, encoded.bytes);
  assert.ok(decoded.ok);
  return decoded.update;
}

/** What one of several members who saw similar data would send: a common direction and its own noise. */
function honest(rules: typeof DENSE, seed: string, member: number): Submission {
  const common = changes(`${seed} common`, N);
  const own = changes(`${seed} ${member}`, N);
  return {
    key: `member ${member}`,
    update: updateOf(
      rules,
      common.map((value, i) => value + own[i]),
    ),
  };
}

function honestSet(rules: typeof DENSE, seed: string, members: number): Submission[] {
  return Array.from({ length: members }, (_, member) => honest(rules, seed, member));
}

const keptKeys = ({ fates }: Aggregate) => fates.filter((fate) => fate.kept).map((fate) => fate.key);

test('a slow twin in big integers agrees on every value, fate and norm', () => {
  for (const rules of CODECS) {
    for (let members = 0; members <= 5; members++) {
      const set = honestSet(rules, `twin ${members}`, members);
      if (members > 3) set[1] = { key: 'flip', update: updateOf(rules, changes('twin 4 common', N, -0.07)) };
      if (members > 2) set.push({ key: 'nothing', update: updateOf(rules, new Float32Array(N)) });
      const mine = aggregate(set, N);
      const theirs = slowAggregate(set);
      assert.deepEqual(keptKeys(mine), theirs.kept);
      assert.equal(mine.clipNorm, theirs.clipNorm);
      assert.deepEqual(Array.from(mine.values, BigInt), theirs.values);
    }
  }
});

test('inner products and leave-one-out cosines are exact', () => {
  for (const rules of CODECS) {
    const set = honestSet(rules, 'products', 4);
    const [a, b] = set.map(({ update }) => update);
    const parts = set.map(slow);
    assert.equal(innerProduct(a, b), slowDot(parts[0].values, parts[1].values));
    const cosines = leaveOneOutCosines(set.map(({ update }) => update));
    assert.deepEqual(cosines, slowCosines(parts));
    assert.ok(cosines.every((cosine) => cosine > 0n));
  }
});

test('division by integers rounds halves away from zero', () => {
  const cases = [
    [5n, 2n, 3n],
    [-5n, 2n, -3n],
    [7n, 3n, 2n],
    [8n, 3n, 3n],
    [-7n, 3n, -2n],
    [1n, 3n, 0n],
  ];
  for (const [numerator, denominator, quotient] of cases)
    assert.equal(divideHalfAway(numerator, denominator), quotient);
});

test('the order in which updates arrived does not matter', () => {
  for (const rules of CODECS) {
    const set = honestSet(rules, 'order', 5);
    const id = aggregateId(aggregate(set, N));
    fc.assert(
      fc.property(fc.shuffledSubarray(set, { minLength: 5 }), (shuffled) => {
        assert.equal(aggregateId(aggregate(shuffled, N)), id);
      }),
      { numRuns: 10 },
    );
  }
});

test('honest updates are all kept, and hardly clipped', () => {
  for (const rules of CODECS) {
    for (let members = 1; members <= 8; members++) {
      const { fates } = aggregate(honestSet(rules, `honest ${members}`, members), N);
      for (const fate of fates) assert.ok(fate.kept && fate.clipPpm > 900_000, JSON.stringify(fate));
    }
  }
});

const lies: Record<string, (seed: string) => Float32Array> = {
  'scaled by 1000': (seed) => changes(`${seed} common`, N, 1),
  'flipped and scaled': (seed) => changes(`${seed} common`, N, -0.5),
  flipped: (seed) => changes(`${seed} common`, N, -0.0015),
  noise: (seed) => changes(`${seed} noise`, N, 0.002),
  'large noise': (seed) => changes(`${seed} noise`, N, 1),
};

test('one liar of four or five changes little', () => {
  for (const rules of CODECS) {
    for (const honestMembers of [3, 4]) {
      for (const [lie, change] of Object.entries(lies)) {
        const seed = `${lie} ${honestMembers}`;
        const set = honestSet(rules, seed, honestMembers);
        const clean = aggregate(set, N);
        const dirty = aggregate([...set, { key: 'liar', update: updateOf(rules, change(seed)) }], N);
        const off = relativeDistance(clean.values, dirty.values);
        const isOpposite = lie.startsWith('flipped');
        assert.ok(off < (isOpposite ? 0.1 : 0.7), `${rules.kind}, ${lie} among ${honestMembers}: ${off}`);
        assert.deepEqual(keptKeys(dirty), [...keptKeys(clean), ...(isOpposite ? [] : ['liar'])].sort(), lie);
      }
    }
  }
});

test('honest updates that have little in common with the rest are kept, with noise beside them too', () => {
  for (const rules of CODECS) {
    for (let members = 3; members <= 6; members++) {
      const seed = `odd ${members}`;
      const set = honestSet(rules, seed, members - 1);
      const common = changes(`${seed} common`, N);
      const own = changes(`${seed} odd`, N);
      const odd = common.map((value, i) => 0.15 * value + own[i]);
      const noise = ['x', 'y'].map((key) => ({ key, update: updateOf(rules, changes(`${seed} ${key}`, N)) }));
      const all = [...set, { key: 'odd', update: updateOf(rules, odd) }, ...noise];
      assert.equal(keptKeys(aggregate(all, N)).length, all.length);
    }
  }
});

test('who copies an update with the sign turned is left out alone, not with whom it copied', () => {
  for (const members of [4, 5, 8]) {
    const seed = `turned ${members}`;
    const weak = changes(`${seed} common`, N, 0.0006);
    const set = Array.from({ length: members - 1 }, (_, member) => {
      const own = changes(`${seed} ${member}`, N);
      return {
        key: `member ${member}`,
        change: weak.map((value, i) => value + own[i]),
      };
    });
    const turned = set[0].change.map((value) => -1.1 * value);
    const updates = [...set, { key: 'turned', change: turned }].map(({ key, change }) => ({
      key,
      update: updateOf(DENSE, change),
    }));
    const before = leaveOneOutCosines(updates.map(({ update }) => update));
    if (members <= 5)
      assert.ok(before[0] < -100_000_000n, 'the victim points against the rest while the copy is there');
    assert.deepEqual(
      keptKeys(aggregate(updates, N)),
      set.map(({ key }) => key),
    );
  }
});

test('a third that pushes the other way together is left out, whatever its sizes', () => {
  for (const rules of CODECS) {
    const set = honestSet(rules, 'third', 6);
    const liars = [-0.0001, -0.001, -0.02].map((size, i) => ({
      key: `liar ${i}`,
      update: updateOf(rules, changes('third common', N, size)),
    }));
    assert.deepEqual(
      keptKeys(aggregate([...set, ...liars], N)),
      set.map(({ key }) => key),
    );
  }
});

test('one update is taken as it is; of two the larger is clipped and none is dropped', () => {
  const one = updateOf(DENSE, changes('one', N));
  const alone = aggregate([{ key: 'a', update: one }], N);
  assert.deepEqual(alone.fates, [{ key: 'a', kept: true, clipPpm: 1_000_000 }]);
  const opposite = updateOf(DENSE, changes('one', N, -0.004));
  const both = aggregate(
    [
      { key: 'a', update: one },
      { key: 'b', update: opposite },
    ],
    N,
  );
  assert.deepEqual(keptKeys(both), ['a', 'b']);
  assert.ok(Math.abs((both.fates[1] as { clipPpm: number }).clipPpm - 250_000) < 1000);
  assert.ok(relativeDistance(alone.values, both.values) > 0.99, 'they cancel');
});

test('of three, the one that points against the others is dropped, and nobody where nobody agrees or disagrees', () => {
  const set = honestSet(DENSE, 'three', 2);
  const flip = { key: 'flip', update: updateOf(DENSE, changes('three common', N, -0.0012)) };
  const { fates } = aggregate([...set, flip], N);
  assert.deepEqual(
    fates.map((fate) => fate.kept),
    [false, true, true],
  );
  assert.match((fates[0] as { reason: string }).reason, /^It points against the rest: cosine -0\.\d+/);

  const apart = [0, 1, 2].map((member) => {
    const change = new Float32Array(N);
    change.fill(0.001, 200 * member, 200 * member + 100);
    return { key: String(member), update: updateOf(DENSE, change) };
  });
  assert.equal(keptKeys(aggregate(apart, N)).length, 3);
});

test('a floor keeps small liars from clipping honest updates away', () => {
  const set = honestSet(DENSE, 'floor', 2);
  const tiny = ['x', 'y', 'z'].map((key) => ({ key, update: updateOf(DENSE, changes(key, N, 1e-6)) }));
  const before = aggregate(set, N);
  assert.ok(aggregate([...set, ...tiny], N).clipNorm < before.clipNorm / 100n);
  assert.equal(aggregate([...set, ...tiny], N, { normFloor: before.clipNorm / 2n }).clipNorm, before.clipNorm / 2n);
});

test('an update of nothing is dropped and does not lower the median', () => {
  const set = honestSet(SPARSE, 'nothing', 3);
  const empty = ['x', 'y', 'z', 'zz'].map((key) => ({ key, update: updateOf(SPARSE, new Float32Array(N)) }));
  const with0 = aggregate([...set, ...empty], N);
  assert.deepEqual(with0.values, aggregate(set, N).values);
  assert.deepEqual(with0.fates.at(-1), { key: 'zz', kept: false, reason: 'It changes nothing.' });
});

test('the id covers who was kept and every value', () => {
  const set = honestSet(SPARSE, 'id', 3);
  const whole = aggregate(set, N);
  const values = whole.values.slice();
  values[17]++;
  const ids = [
    aggregateId(whole),
    aggregateId({ ...whole, values }),
    aggregateId({ ...whole, fates: whole.fates.slice(1) }),
  ];
  assert.equal(new Set(ids).size, 3);
});

test('aggregates stay what they were: every member of a run must come to the same', () => {
  const ids = CODECS.map((rules) => {
    const set = honestSet(rules, 'frozen', 4);
    const lies = [-0.0015, -0.5, 1].map((size, i) => ({
      key: `liar ${i}`,
      update: updateOf(rules, changes(`frozen ${i === 2 ? 'noise' : 'common'}`, N, size)),
    }));
    return aggregateId(aggregate([...set, ...lies], N));
  });
  assert.deepEqual(ids, [
    '6592584515aadf0b4982ee394e9fcb4584f6d1737b9d9bbb70fb90fdf93ee65b',
    'aebceab4869bdb7cc322134c4c5cd79eae91dd03994f9406f4f136487487776e',
  ]);
});

test('the next base is base − α · aggregate, rounded once', () => {
  const values = Int32Array.of(2 ** 30, -(2 ** 29), 1, 0, 12345);
  const base = Float32Array.of(1, 1, 1, -0.1, 0.25);
  const next = applyAggregate(base, { values, fates: [], clipNorm: 0n }, '0.7');
  assert.deepEqual(
    next,
    Float32Array.from(base, (value, i) => value - 0.7 * (values[i] / 2 ** 30)),
  );
});

function relativeDistance(a: Int32Array, b: Int32Array): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += a[i] ** 2;
  }
  return Math.sqrt(difference / size);
}

type Slow = { key: string; values: Map<number, bigint>; clip: (numerator: bigint, denominator: bigint) => Slow };

function slow({ key, update }: Submission): Slow {
  const values = new Map<number, bigint>();
  if (update.kind === 'dense')
    for (const [i, code] of update.codes.entries())
      values.set(i, BigInt(code) * BigInt(update.scales[Math.floor(i / 4096)]));
  else forEachEntry(update, (parameter, units) => void values.set(parameter, BigInt(units)));
  const clip = (numerator: bigint, denominator: bigint) => {
    const scale = (value: number) => Number(slowRound(BigInt(value) * numerator, denominator));
    return slow({
      key,
      update:
        update.kind === 'dense'
          ? { ...update, scales: update.scales.map(scale) }
          : { ...update, codebooks: update.codebooks.map(scale) },
    });
  };
  return { key, values, clip };
}

function slowRound(numerator: bigint, denominator: bigint): bigint {
  const remainder = (numerator < 0n ? -numerator : numerator) % denominator;
  const towardsZero = numerator / denominator;
  return 2n * remainder < denominator ? towardsZero : towardsZero + (numerator < 0n ? -1n : 1n);
}

function slowDot(a: Map<number, bigint>, b: Map<number, bigint>): bigint {
  let sum = 0n;
  for (const [i, value] of a) sum += value * (b.get(i) ?? 0n);
  return sum;
}

function slowRoot(value: bigint): bigint {
  let low = 0n;
  let high = 1n << 80n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle * middle <= value) low = middle;
    else high = middle;
  }
  return low;
}

function slowSum(parts: readonly Slow[]): Map<number, bigint> {
  const sum = new Map<number, bigint>();
  for (const { values } of parts) for (const [i, value] of values) sum.set(i, (sum.get(i) ?? 0n) + value);
  return sum;
}

function slowCosines(parts: readonly Slow[]): bigint[] {
  return parts.map((part) => {
    const rest = slowSum(parts.filter((other) => other !== part));
    const scale = slowRoot(slowDot(part.values, part.values) * slowDot(rest, rest));
    return scale === 0n ? 0n : (1_000_000_000n * slowDot(part.values, rest)) / scale;
  });
}

function slowAggregate(set: readonly Submission[]): { kept: string[]; clipNorm: bigint; values: bigint[] } {
  const norm = ({ values }: Slow) => slowRoot(slowDot(values, values));
  const speaking = set
    .map(slow)
    .filter((part) => norm(part) > 0n)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const clipNorm = speaking.length === 0 ? 0n : lowerMedian(speaking.map(norm));
  const clipped = speaking.map((part) => (norm(part) > clipNorm ? part.clip(clipNorm, norm(part)) : part));
  const kept = slowFilter(clipped);
  const sums = slowSum(kept);
  const values = Array.from({ length: N }, (_, i) => {
    const senders = BigInt(kept.filter((part) => part.values.has(i)).length);
    return senders === 0n ? 0n : slowRound(sums.get(i)!, senders);
  });
  return { kept: kept.map((part) => part.key), clipNorm, values };
}

function slowFilter(parts: readonly Slow[], pass = 1): readonly Slow[] {
  if (parts.length < 3 || pass > 6) return parts;
  const cosines = slowCosines(parts);
  const sorted = [...cosines].sort((a, b) => (a < b ? -1 : 1));
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  const limit = -50_000_000n + (median < 0n ? (3n * median) / 2n : 0n);
  const [lowest] = sorted;
  const isOut = (cosine: bigint) => cosine < limit && (pass === 6 || 2n * cosine <= lowest);
  const out = cosines.filter(isOut).length;
  if (out === 0) return parts;
  assert.ok(parts.length - out >= 2, 'the twin knows no ties');
  return slowFilter(
    parts.filter((_, i) => !isOut(cosines[i])),
    pass + 1,
  );
}
