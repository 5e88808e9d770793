/**
 * The operators that a transformer is made of: several rows forward, one hand-derived derivative.
 *
 * Each is written as forward part, then what it owes to its inputs; the derivative shares the forward part's results.
 */
import type { Value } from './graph.ts';
import { composite, expects } from './operator.ts';
import {
  add,
  addAt,
  batchProduct,
  expand,
  join,
  largest,
  logarithm,
  matrixProduct,
  multiply,
  pick,
  reciprocal,
  reshape,
  rows,
  scale,
  shift,
  sigmoid,
  slice,
  softmax,
  squareRoot,
  subtract,
  sum,
  sumOfSquares,
  swapLast,
  thinProduct,
  upper,
} from './operators.ts';
import { after } from './order.ts';

/** `x · weightᵀ`: `[N, in]` and a weight `[out, in]`, as Hugging Face stores it, give `[N, out]`. */
export function linear(x: Value, weight: Value): Value {
  return matrixProduct(x, weight, { transB: true });
}

/** Rows of an embedding table: `[V, C]` and tokens `[N]` give `[N, C]`. */
export const embedding = rows;

/**
 * Root-mean-square norm: `x / √(mean(x²) + epsilon) · weight` over the last axis (Zhang and Sennrich 2019).
 *
 * `x` `[N, C]`, `weight` `[C]`.
 */
export const rmsNorm = composite<[x: Value, weight: Value], { epsilon: number }>(
  'rmsNorm',
  ([x, weight], { epsilon }) => {
    const [, width] = x.shape as [number, number];
    expects(x.shape.length === 2 && weight.shape[0] === width, 'rmsNorm', 'wants [N, C] and [C]', [x, weight]);
    const meanSquare = scale(sumOfSquares(x, { axes: [1] }), 1 / width); // [N, 1]
    const inverse = reciprocal(squareRoot(shift(meanSquare, { term: epsilon }))); // [N, 1]
    const unit = multiply(x, inverse); // [N, C]
    return {
      output: multiply(unit, weight),
      // y = unit·w. Along each row, dx is d·w without its part parallel to unit, divided by the row's length.
      derivative: (d) => {
        const aligned = multiply(d, unit); // [N, C]
        const parallel = scale(sum(multiply(aligned, weight), { axes: [1] }), 1 / width); // [N, 1]
        const across = subtract(multiply(d, weight), multiply(unit, parallel));
        return [multiply(across, inverse), reshape(sum(aligned, { axes: [0] }), { shape: [width] })];
      },
    };
  },
);

/** Gated unit: `gate · sigmoid(gate) · up` (Shazeer 2020), elementwise. */
export const swiglu = composite<[gate: Value, up: Value]>('swiglu', ([gate, up]) => {
  const s = sigmoid(gate);
  const silu = multiply(gate, s);
  return {
    output: multiply(silu, up),
    // silu' = s·(1 + gate·(1 − s)) = s + silu − silu·s.
    derivative: (d) => {
      const slope = subtract(add(s, silu), multiply(silu, s));
      return [multiply(multiply(d, up), slope), multiply(d, silu)];
    },
  };
});

/**
 * Rotary position embedding in Hugging Face's convention: element `i` of a head turns with element `i + D/2`.
 *
 * `x` `[..., T, D]`; `cos`, `sin` `[T, D/2]`.
 */
export const rotary = composite<[x: Value, cos: Value, sin: Value]>('rotary', ([x, cos, sin]) => {
  const half = x.shape.at(-1)! / 2;
  expects(cos.shape.at(-1) === half && cos.shape[0] === x.shape.at(-2), 'rotary', 'tables do not fit', [x, cos, sin]);
  return {
    output: turn(x, cos, sin, 1),
    // A rotation's transpose is the rotation by the opposite angle.
    derivative: (d) => [turn(d, cos, sin, -1), undefined, undefined],
  };
});

/**
 * Causal self-attention with grouped queries: `softmax(scale · q kᵀ + mask) v`.
 *
 * `q` `[B, H, T, D]`; `k`, `v` `[B, G, T, D]` where G divides H, and query head `h` uses key head `⌊h·G/H⌋`.
 * Returns `[B, H, T, D]`. The H/G queries of a group stand below each other as one matrix, so keys and values are
 * never copied per query head. Queries are taken in blocks of at least `block` (default: 128, or D where that is
 * more): a block looks at the keys up to its own end, so that much of the future is neither computed nor kept. For
 * contexts in which what is kept would be too much see `chunkedAttention`.
 */
export const causalAttention = composite<[q: Value, k: Value, v: Value], { scale: number; block?: number }>(
  'causalAttention',
  ([q, k, v], options) => {
    const [, heads, time, size] = q.shape as [number, number, number, number];
    expects(heads % k.shape[1]! === 0 && k.shape[2] === time, 'causalAttention', 'heads do not fit', [q, k, v]);
    const ends = blockEnds(time, options.block ?? Math.max(128, size));
    const blocks = ends.map((end, i) => attentionBlock([q, k, v], ends[i - 1] ?? 0, end, options.scale));
    return {
      output: joined(blocks.map(({ output }) => output)),
      derivative: (d) => {
        const owed = blocks.map(({ derivative, start, end }) => derivative(part(d, start, end)));
        const ofKeys = (which: 'k' | 'v') => sumOfPrefixes(owed.map((block) => block[which]));
        return [joined(owed.map((block) => block.q)), ofKeys('k'), ofKeys('v')];
      },
    };
  },
);

/** Attention of the queries from `start` to `end` (exclusive) to the keys before `end`. */
function attentionBlock(inputs: readonly [q: Value, k: Value, v: Value], start: number, end: number, factor: number) {
  const [batch, heads, , size] = inputs[0].shape as [number, number, number, number];
  const groups = inputs[1].shape[1]!;
  const count = end - start; // n
  const stacked = [batch, groups, (heads / groups) * count, size]; // [B, G, H/G·n, D]
  const tall = [batch, groups, (heads / groups) * count, end]; // [B, G, H/G·n, end]

  const q = reshape(part(inputs[0], start, end), { shape: stacked });
  const k = part(inputs[1], 0, end); // [B, G, end, D]
  const v = part(inputs[2], 0, end);
  const scores = reshape(scale(batchProduct(q, swapLast(k)), factor), { shape: [batch, heads, count, end] });
  const p = reshape(softmax(add(scores, causalMask(q, start, end))), { shape: tall });
  const result = batchProduct(p, v); // [B, G, H/G·n, D]
  return {
    start,
    end,
    output: reshape(result, { shape: [batch, heads, count, size] }),
    // Softmax: ds = p·(dp − Σ p·dp) along each row; and Σ p·dp = Σ d·result, which is end/D times shorter (Dao 2022).
    derivative: (dy: Value) => {
      const d = reshape(dy, { shape: stacked });
      const mean = sum(multiply(d, result), { axes: [3] });
      const ds = scale(multiply(p, subtract(batchProduct(d, swapLast(v)), mean)), factor); // [B, G, H/G·n, end]
      const dq = reshape(batchProduct(ds, k), { shape: [batch, heads, count, size] });
      return { q: dq, k: thinProduct(ds, q), v: thinProduct(p, d) };
    },
  };
}

/** Mean over N of `−log softmax(logits)[target]`, in nats: `[N, V]` and int32 `[N]` give []. */
export const crossEntropy = composite<[logits: Value, targets: Value]>('crossEntropy', ([logits, targets]) => {
  const count = logits.shape[0]!;
  const { loss, p, chosen } = tokenLoss(logits, targets);
  return {
    output: reshape(scale(sum(loss, { axes: [0] }), 1 / count), { shape: [] }),
    // dz = (softmax(z) − onehot(target)) / N.
    derivative: (d) => {
      const minusOne = logits.graph.constant(new Float32Array(count).fill(-1), [count, 1]);
      // After the losses, which are made of p too: then nothing else needs p, and it becomes dz where it lies.
      return [multiply(addAt(p, chosen, after(minusOne, [loss]), { axis: 1 }), scale(d, 1 / count)), undefined];
    },
  };
});

/**
 * Cross-entropy, and beside it what is minimised where logits shall stay small: cross-entropy + weight · the mean over N
 * of log² Σ exp(logits), "z-loss" (Chowdhery et al. 2022). `[N, V]` and int32 `[N]` give two values of shape [].
 *
 * `loss` is for people and has no derivative.
 */
export function crossEntropyWithZ(
  logits: Value,
  targets: Value,
  { weight }: { weight: number },
): { loss: Value; objective: Value } {
  const { graph } = logits;
  const count = logits.shape[0]!;
  const { loss, logSum, p, chosen } = graph.unrecorded(() => tokenLoss(logits, targets));
  const mean = (values: Value) => reshape(scale(sum(values, { axes: [0] }), 1 / count), { shape: [] });
  const objective = composite<[logits: Value, targets: Value]>('crossEntropyWithZ', () => ({
    output: mean(add(loss, scale(multiply(logSum, logSum), weight))),
    // dz = (softmax(z)·(1 + 2·weight·log Σ exp z) − onehot(target)) / N.
    derivative: (d) => {
      const minusOne = graph.constant(new Float32Array(count).fill(-1), [count, 1]);
      const heavier = multiply(p, shift(scale(logSum, 2 * weight), { term: 1 }));
      return [multiply(addAt(heavier, chosen, minusOne, { axis: 1 }), scale(d, 1 / count)), undefined];
    },
  }))(logits, targets);
  return { loss: graph.unrecorded(() => mean(loss)), objective };
}

/** `−log softmax(logits)[target]` for each token: `[N, V]` and int32 `[N]` give `[N, 1]`. Not differentiable. */
export function tokenLosses(logits: Value, targets: Value): Value {
  return tokenLoss(logits, targets).loss;
}

/**
 * With z the logits and p their softmax, log Σ exp(z) = z_j − log p_j for every j; the largest is the j where p_j
 * cannot vanish, so that no second pass over the vocabulary for a log-softmax is needed.
 */
function tokenLoss(logits: Value, targets: Value): { loss: Value; logSum: Value; p: Value; chosen: Value } {
  const [count] = logits.shape as [number, number];
  const chosen = reshape(targets, { shape: [count, 1] });
  const p = softmax(logits);
  const logSum = subtract(largest(logits, { axes: [1] }), logarithm(largest(p, { axes: [1] })));
  return { loss: subtract(logSum, pick(logits, chosen)), logSum, p, chosen };
}

function turn(x: Value, cos: Value, sin: Value, direction: 1 | -1): Value {
  const axis = x.shape.length - 1;
  const half = x.shape[axis]! / 2;
  const a = slice(x, { axis, start: 0, end: half });
  const b = slice(x, { axis, start: half, end: 2 * half });
  const [first, second] = direction === 1 ? [subtract, add] : [add, subtract];
  return join(first(multiply(a, cos), multiply(b, sin)), second(multiply(b, cos), multiply(a, sin)), { axis });
}

/** `[end − start, end]`: 0 where a token may look, −1e9 (whose exponential is zero) in its future. */
function causalMask(near: Value, start: number, end: number): Value {
  return upper(expand(near.graph.scalar(-1e9), { shape: [end - start, end] }), { diagonal: start + 1 });
}

/** Where blocks of at least `block` end: as many as fit, as equal as possible. */
function blockEnds(time: number, block: number): number[] {
  const count = Math.max(1, Math.floor(time / block));
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * time) / count));
}

/** Positions `start` to `end` (exclusive) of `[B, H, T, D]`. */
function part(x: Value, start: number, end: number): Value {
  return start === 0 && end === x.shape[2] ? x : slice(x, { axis: 2, start, end });
}

/** Parts of `[B, H, T, D]`, in order. */
function joined(parts: readonly Value[]): Value {
  const [first, ...others] = parts as [Value, ...Value[]];
  return others.length ? join(first, ...others, { axis: 2 }) : first;
}

/** The sum of values for the first positions of `[B, H, T, D]`, each longer than the one before. */
function sumOfPrefixes(prefixes: readonly Value[]): Value {
  const ends = prefixes.map(({ shape }) => shape[2]!);
  return joined(
    ends.map((end, i) =>
      prefixes
        .slice(i)
        .map((prefix) => part(prefix, ends[i - 1] ?? 0, end))
        .reduce((left, right) => add(left, right)),
    ),
  );
}
