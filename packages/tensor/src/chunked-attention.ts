/** Attention over long contexts: the same function as `causalAttention`, a block of queries at a time. */
import type { Value } from './graph.ts';
import { composite, expects } from './operator.ts';
import {
  add,
  batchProduct,
  expand,
  join,
  multiply,
  reshape,
  scale,
  slice,
  softmax,
  subtract,
  sum,
  swapLast,
  thinProduct,
  upper,
  zeros,
} from './operators.ts';
import { after } from './order.ts';

/**
 * Causal self-attention with grouped queries, as `causalAttention`, in memory that grows with T instead of T².
 *
 * `q` `[B, H, T, D]`; `k`, `v` `[B, G, T, D]`; returns `[B, H, T, D]`. T is a multiple of `block`, D at most 128.
 *
 * Each block of queries meets the keys up to its end only: of the T² products almost half are not computed at all. Its
 * scores, `[B, H, block, T]` at most, live until its result is there and are computed again for the derivative (Rabe and
 * Staats 2021; Dao 2022). Keys are not cut as well: a row of scores fits, so that the softmax needs no second pass.
 */
export const chunkedAttention = composite<[q: Value, k: Value, v: Value], { scale: number; block: number }>(
  'chunkedAttention',
  ([q, k, v], options) => {
    const [, heads, time, size] = q.shape as [number, number, number, number];
    const groups = k.shape[1]!;
    expects(heads % groups === 0 && k.shape[2] === time, 'chunkedAttention', 'heads do not fit', [q, k, v]);
    expects(time % options.block === 0, 'chunkedAttention', `blocks of ${options.block} do not fit`, [q]);
    // Deeper products that are wider than tall would have bits that depend on the number of threads (`matrixProduct`).
    expects(size <= 128, 'chunkedAttention', 'the head size is above 128', [q]);
    const ends = Array.from({ length: time / options.block }, (_, i) => (i + 1) * options.block);
    const mask = wholeMask(q, options.block);
    const widths = ends.map((end) => widthFor(end, time, options.block));
    const maskOf = (end: number, width: number) => slice(mask, { axis: 1, start: time - end, end: time - end + width });

    const queriesOf = (x: Value, end: number) => stack(part(x, end - options.block, end), groups); // [B, G, H/G·block, D]
    const results = ends.map((end, i) => {
      const p = probabilities(queriesOf(q, end), part(k, 0, widths[i]!), maskOf(end, widths[i]!), options.scale);
      return batchProduct(p, part(v, 0, widths[i]!)); // [B, G, H/G·block, D]
    });
    return {
      output: joined(results.map((result) => unstack(result, heads))),
      derivative: (dy) => {
        const dq: Value[] = [];
        let [dk, dv, done]: [Value | undefined, Value | undefined, Value[]] = [undefined, undefined, [dy]];
        for (const [i, end] of [...ends.entries()].reverse()) {
          const [keys, values] = [part(k, 0, widths[i]!), part(v, 0, widths[i]!)];
          // After the block before: or all blocks' scores would be there at once.
          const queries = after(queriesOf(q, end), done);
          const p = probabilities(queries, keys, maskOf(end, widths[i]!), options.scale);
          const d = queriesOf(dy, end);
          const mean = sum(multiply(d, results[i]!), { axes: [3] });
          const ds = scale(multiply(p, subtract(batchProduct(d, swapLast(values)), mean)), options.scale);
          dq.unshift(unstack(batchProduct(ds, keys), heads));
          dk = addToStart(dk, thinProduct(ds, queries)); // [B, G, T, D]
          dv = addToStart(dv, thinProduct(p, d));
          done = [dq[0]!, dk, dv];
        }
        return [joined(dq), dk, dv];
      },
    };
  },
);

/** Softmax of the scores of a block's queries `[B, G, H/G·block, D]` with the first E keys, `[B, G, E, D]`. */
function probabilities(queries: Value, keys: Value, mask: Value, factor: number): Value {
  const [batch, groups, rows] = queries.shape as [number, number, number];
  const [block, width] = mask.shape as [number, number];
  const scores = scale(batchProduct(queries, swapLast(keys)), factor);
  const byHead = reshape(scores, { shape: [batch, (groups * rows) / block, block, width] });
  const masked = add(byHead, mask);
  return reshape(softmax(masked), { shape: [batch, groups, rows, width] });
}

/**
 * Keys that the block which ends at `end` meets: `end`, rounded up to a quarter of T.
 *
 * ONNX Runtime keeps memory for each shape that comes again, in the other layers or on the way back, for as long as
 * something of that shape is still to come. Every width of its own would be T²/2 scores that are never given back.
 */
function widthFor(end: number, time: number, block: number): number {
  const step = time % (4 * block) === 0 ? time / 4 : block;
  return Math.ceil(end / step) * step;
}

/**
 * `[block, T + T/4]` or so: 0 in the past of the last `block` positions, −1e9 in their future and beyond T.
 *
 * Behind `after`, since an optimizer would otherwise keep each block's part as a constant: T²/2 numbers.
 */
function wholeMask(near: Value, block: number): Value {
  const time = near.shape[2]!;
  const never = (shape: [number, number]) => expand(near.graph.scalar(-1e9), { shape });
  const beyond = widthFor(block, time, block) - block;
  const last = upper(never([block, block]), { diagonal: 1 });
  const future = beyond === 0 ? last : join(last, never([block, beyond]), { axis: 1 });
  if (time === block) return future;
  return after(join(zeros(near, { shape: [block, time - block] }), future, { axis: 1 }), [near]);
}

/** Times `start` to `end` (exclusive). */
function part(x: Value, start: number, end: number): Value {
  return start === 0 && end === x.shape[2] ? x : slice(x, { axis: 2, start, end });
}

/** `[B, H, N, D]` as `[B, G, H/G·N, D]`: the queries that share keys stand below each other. */
function stack(x: Value, groups: number): Value {
  const [batch, heads, time, size] = x.shape as [number, number, number, number];
  return reshape(x, { shape: [batch, groups, (heads / groups) * time, size] });
}

function unstack(x: Value, heads: number): Value {
  const [batch, groups, rows, size] = x.shape as [number, number, number, number];
  return reshape(x, { shape: [batch, heads, (groups * rows) / heads, size] });
}

function joined(parts: readonly Value[]): Value {
  return parts.reduce((soFar, next) => join(soFar, next, { axis: 2 }));
}

/** `total` with `amounts` added to its first times; blocks come from the last, which reaches every time. */
function addToStart(total: Value | undefined, amounts: Value): Value {
  if (!total) return amounts;
  const [length, border] = [total.shape[2]!, amounts.shape[2]!];
  const start = add(part(total, 0, border), amounts);
  return border === length ? start : join(start, part(total, border, length), { axis: 2 });
}
