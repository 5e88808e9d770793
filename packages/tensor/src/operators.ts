/**
 * The operators that are one ONNX node each: shape rule, ONNX form, derivative, one row per operator.
 *
 * In the derivatives `d` is the gradient of the loss with respect to the row's output; each row returns one entry per
 * input. Where an input was broadcast, `gradients` sums `d` back to its shape.
 */
import { type Shape, ShapeError, sameShape, type Value } from './graph.ts';
import { expects, type Operator, operator } from './operator.ts';

type One = [x: Value];
type Two = [a: Value, b: Value];

// Elementwise, two inputs, broadcast as in NumPy ---------------------------------------------------------------------

export const add: Operator<Two> = operator<Two>({
  onnx: 'Add',
  shape: (inputs) => broadcast('Add', inputs),
  derivative: (d) => [d, d],
});

export const subtract: Operator<Two> = operator<Two>({
  onnx: 'Sub',
  shape: (inputs) => broadcast('Sub', inputs),
  derivative: (d) => [d, scale(d, -1)],
});

const product: Operator<Two> = operator<Two>({
  onnx: 'Mul',
  shape: (inputs) => broadcast('Mul', inputs),
  derivative: (d, [a, b]) => [multiply(d, b), multiply(d, a)],
});

export const divide: Operator<Two> = operator<Two>({
  onnx: 'Div',
  shape: (inputs) => broadcast('Div', inputs),
  derivative: (d, [, b], _, ratio) => [divide(d, b), scale(multiply(d, divide(ratio, b)), -1)],
});

// Elementwise, one input ---------------------------------------------------------------------------------------------

const timesNumber: Operator<One, { factor: number }> = operator<One, { factor: number }>({
  onnx: 'Mul',
  shape: ([x]) => x.shape,
  operands: ({ factor }) => [factor],
  derivative: (d, _, { factor }) => [scale(d, factor)],
});

/** `x + term`. */
export const shift: Operator<One, { term: number }> = operator<One, { term: number }>({
  onnx: 'Add',
  shape: ([x]) => x.shape,
  operands: ({ term }) => [term],
  derivative: (d) => [d],
});

export const squareRoot: Operator<One> = operator<One>({
  onnx: 'Sqrt',
  shape: ([x]) => x.shape,
  derivative: (d, _, __, root) => [scale(divide(d, root), 0.5)],
});

export const reciprocal: Operator<One> = operator<One>({
  onnx: 'Reciprocal',
  shape: ([x]) => x.shape,
  derivative: (d, _, __, y) => [scale(multiply(d, multiply(y, y)), -1)],
});

export const exponential: Operator<One> = operator<One>({
  onnx: 'Exp',
  shape: ([x]) => x.shape,
  derivative: (d, _, __, y) => [multiply(d, y)],
});

export const logarithm: Operator<One> = operator<One>({
  onnx: 'Log',
  shape: ([x]) => x.shape,
  derivative: (d, [x]) => [divide(d, x)],
});

export const sigmoid: Operator<One> = operator<One>({
  onnx: 'Sigmoid',
  shape: ([x]) => x.shape,
  derivative: (d, _, __, s) => [multiply(d, subtract(s, multiply(s, s)))],
});

/** Over the last axis. */
export const softmax: Operator<One> = operator<One>({
  onnx: 'Softmax',
  shape: ([x]) => x.shape,
  attributes: () => ({ axis: -1 }),
  derivative: (d, [x], _, p) => [multiply(p, subtract(d, sum(multiply(p, d), { axes: [x.shape.length - 1] })))],
});

// Reductions; the axes stay, with size 1 -----------------------------------------------------------------------------

type Axes = { axes: readonly number[] };

export const sum: Operator<One, Axes> = operator<One, Axes>({
  onnx: 'ReduceSum',
  shape: ([x], { axes }) => reduced(x.shape, axes),
  operands: ({ axes }) => [axes],
  derivative: (d, [x]) => [expand(d, { shape: x.shape })],
});

export const sumOfSquares: Operator<One, Axes> = operator<One, Axes>({
  onnx: 'ReduceSumSquare',
  shape: ([x], { axes }) => reduced(x.shape, axes),
  operands: ({ axes }) => [axes],
  derivative: (d, [x]) => [scale(multiply(x, d), 2)],
});

/** Not differentiable here: cross-entropy, which needs it, has a derivative of its own. */
export const largest: Operator<One, Axes> = operator<One, Axes>({
  onnx: 'ReduceMax',
  shape: ([x], { axes }) => reduced(x.shape, axes),
  operands: ({ axes }) => [axes],
});

// Shape --------------------------------------------------------------------------------------------------------------

export const reshape: Operator<One, { shape: Shape }> = operator<One, { shape: Shape }>({
  onnx: 'Reshape',
  shape: ([x], { shape }) => {
    const size = (of: Shape) => of.reduce((product, n) => product * n, 1);
    expects(size(x.shape) === size(shape), 'Reshape', `does not fill [${shape}]`, [x]);
    return shape;
  },
  operands: ({ shape }) => [shape],
  derivative: (d, [x]) => [reshape(d, { shape: x.shape })],
});

export const expand: Operator<One, { shape: Shape }> = operator<One, { shape: Shape }>({
  onnx: 'Expand',
  shape: ([x], { shape }) => {
    expects(sameShape(broadcastShapes(x.shape, shape) ?? [], shape), 'Expand', `does not expand to [${shape}]`, [x]);
    return shape;
  },
  operands: ({ shape }) => [shape],
  derivative: (d) => [d],
});

/** Axis `i` of the result is axis `order[i]` of `x`. */
export const transpose: Operator<One, { order: readonly number[] }> = operator<One, { order: readonly number[] }>({
  onnx: 'Transpose',
  shape: ([x], { order }) => {
    expects(sameShape([...order].sort(), [...x.shape.keys()]), 'Transpose', `[${order}] is not an order`, [x]);
    return order.map((axis) => x.shape[axis]!);
  },
  attributes: ({ order }) => ({ perm: order }),
  derivative: (d, _, { order }) => [transpose(d, { order: order.map((_, axis) => order.indexOf(axis)) })],
});

/** Elements `start` to `end` (exclusive) of an axis. */
export const slice: Operator<One, { axis: number; start: number; end: number }> = operator<
  One,
  { axis: number; start: number; end: number }
>({
  onnx: 'Slice',
  shape: ([x], { axis, start, end }) => {
    expects(0 <= start && start < end && end <= x.shape[axis]!, 'Slice', `no part ${start}..${end}`, [x]);
    return x.shape.map((size, i) => (i === axis ? end - start : size));
  },
  operands: ({ axis, start, end }) => [[start], [end], [axis]],
  derivative: (d, [x], { axis, start, end }) => {
    const part = (size: number) => zeros(x, { shape: x.shape.map((n, i) => (i === axis ? size : n)) });
    const before = start > 0 ? join(part(start), d, { axis }) : d;
    return [end < x.shape[axis]! ? join(before, part(x.shape[axis]! - end), { axis }) : before];
  },
});

/** One after the other along an axis. */
export const join: Operator<[first: Value, ...others: Value[]], { axis: number }> = operator<
  [first: Value, ...others: Value[]],
  { axis: number }
>({
  onnx: 'Concat',
  shape: (parts, { axis }) => {
    const others = ({ shape }: Value) => shape.map((size, i) => (i === axis ? 0 : size));
    expects(
      parts.every((part) => sameShape(others(part), others(parts[0]))),
      'Concat',
      'the other axes differ',
      parts,
    );
    return parts[0].shape.map((size, i) =>
      i === axis ? parts.reduce((total, { shape }) => total + shape[i]!, 0) : size,
    );
  },
  attributes: ({ axis }) => ({ axis }),
  derivative: (d, parts, { axis }) => {
    let end = 0;
    return parts.map(({ shape }) => {
      const start = end;
      end += shape[axis]!;
      return slice(d, { axis, start, end });
    });
  },
});

/** A matrix with zeros left of its diagonal number `diagonal` (0 is the one through the first element, 1 the one above). */
export const upper: Operator<One, { diagonal: number }> = operator<One, { diagonal: number }>({
  onnx: 'Trilu',
  shape: ([x]) => {
    expects(x.shape.length === 2, 'Trilu', 'wants a matrix', [x]);
    return x.shape;
  },
  operands: ({ diagonal }) => [BigInt(diagonal)],
  attributes: () => ({ upper: 1 }),
  derivative: (d, _, { diagonal }) => [upper(d, { diagonal })],
});

// Matrices -----------------------------------------------------------------------------------------------------------

type GemmOptions = { transA?: boolean; transB?: boolean; alpha?: number };

/** `alpha · op(a) · op(b) (+ c)` for matrices, where `op` may transpose. See `matrixProduct`. */
const gemm: Operator<[a: Value, b: Value, ...c: Value[]], GemmOptions> = operator<
  [a: Value, b: Value, ...c: Value[]],
  GemmOptions
>({
  onnx: 'Gemm',
  shape: ([a, b, ...c], { transA = false, transB = false }) => {
    const [rows, inner] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
    const [depth, columns] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
    const fits = a.shape.length === 2 && b.shape.length === 2 && inner === depth;
    expects(fits && c.every((start) => sameShape(start.shape, [rows, columns])), 'Gemm', 'does not fit', [a, b, ...c]);
    return [rows, columns];
  },
  attributes: ({ transA = false, transB = false, alpha = 1 }) => ({
    alpha: { float: alpha },
    transA: Number(transA),
    transB: Number(transB),
  }),
  derivative: (d, [a, b], { transA = false, transB = false, alpha = 1 }) => [
    (soFar) =>
      transA
        ? matrixProduct(b, d, { transA: transB, transB: true, alpha }, soFar)
        : matrixProduct(d, b, { transB: !transB, alpha }, soFar),
    (soFar) =>
      transB
        ? matrixProduct(d, a, { transA: true, transB: transA, alpha }, soFar)
        : matrixProduct(a, d, { transA: !transA, alpha }, soFar),
    d,
  ],
});

/** Matrix product over the last two axes; the axes before are broadcast. */
export const batchProduct: Operator<Two> = operator<Two>({
  onnx: 'MatMul',
  shape: ([a, b]) => {
    const [rows, inner] = a.shape.slice(-2);
    const [depth, columns] = b.shape.slice(-2);
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    expects(a.shape.length > 1 && b.shape.length > 1 && inner === depth, 'MatMul', 'does not fit', [a, b]);
    expects(batch !== undefined, 'MatMul', 'the batch axes do not fit', [a, b]);
    return [...batch, rows!, columns!];
  },
  derivative: (d, [a, b]) => [batchProduct(d, swapLast(b)), batchProduct(swapLast(a), d)],
});

// Choosing by index; indices are int32 and may repeat ----------------------------------------------------------------

/** Rows of a matrix: `[V, C]` and `[N]` give `[N, C]`. */
export const rows: Operator<[table: Value, indices: Value]> = operator<[table: Value, indices: Value]>({
  onnx: 'Gather',
  shape: ([table, indices]) => {
    const fits = table.shape.length === 2 && indices.shape.length === 1 && indices.dtype === 'int32';
    expects(fits, 'Gather', 'wants a matrix and a list of int32', [table, indices]);
    return [indices.shape[0]!, table.shape[1]!];
  },
  attributes: () => ({ axis: 0 }),
  derivative: (d, [table, indices]) => [
    (soFar) => {
      const everywhere = expand(reshape(indices, { shape: [indices.shape[0]!, 1] }), { shape: d.shape });
      return addAt(soFar ?? zeros(table, { shape: table.shape }), everywhere, d, { axis: 0 });
    },
    undefined,
  ],
});

/** One element per row: `[N, V]` and `[N, 1]` give `[N, 1]`. */
export const pick: Operator<[x: Value, indices: Value]> = operator<[x: Value, indices: Value]>({
  onnx: 'GatherElements',
  shape: ([x, indices]) => {
    const fits = sameShape(indices.shape, [x.shape[0]!, 1]) && indices.dtype === 'int32';
    expects(fits, 'GatherElements', 'wants one int32 per row', [x, indices]);
    return indices.shape;
  },
  attributes: () => ({ axis: 1 }),
  derivative: (d, [x, indices]) => [addAt(zeros(x, { shape: x.shape }), indices, d, { axis: 1 }), undefined],
});

/**
 * `x` with `amounts` added at `indices` along an axis.
 *
 * ONNX Runtime adds them one after the other on one thread, so repeated indices are safe; its `ScatterND` is not (it
 * loses updates with more than one thread).
 */
export const addAt: Operator<[x: Value, indices: Value, amounts: Value], { axis: number }> = operator<
  [x: Value, indices: Value, amounts: Value],
  { axis: number }
>({
  onnx: 'ScatterElements',
  shape: ([x, indices, amounts]) => {
    const fits = sameShape(indices.shape, amounts.shape) && indices.dtype === 'int32';
    expects(fits, 'ScatterElements', 'wants an int32 index per amount', [x, indices, amounts]);
    return x.shape;
  },
  attributes: ({ axis }) => ({ axis, reduction: 'add' }),
});

// Functions of rows --------------------------------------------------------------------------------------------------

const scaled = new WeakMap<Value, { of: Value; factor: number }>();

/** `factor · x`; numbers multiply each other while the graph is built, and products take them as their `alpha`. */
export function scale(x: Value, factor: number): Value {
  const number = numberOf(x);
  if (number !== undefined) return x.graph.scalar(number * factor);
  const inner = scaled.get(x) ?? { of: x, factor: 1 };
  if (inner.factor * factor === 1) return inner.of;
  const value = timesNumber(inner.of, { factor: inner.factor * factor });
  scaled.set(value, { of: inner.of, factor: inner.factor * factor });
  return value;
}

/** `a · b` elementwise. */
export function multiply(a: Value, b: Value): Value {
  const number = numberOf(b);
  return number === undefined ? product(a, b) : scale(a, number);
}

/**
 * `alpha · op(a) · op(b) + start` for matrices. The bits do not depend on the number of threads, up to 16.
 *
 * ONNX Runtime gives each thread some columns of a result that is wider than tall, and adds parts of at most 64 columns
 * in longer blocks (MLAS, `MlasSgemmOperation`), though not where the left matrix is transposed: so results of middling
 * width are computed transposed. A result of one column has no such order: use `sum`.
 */
export function matrixProduct(a: Value, b: Value, options: GemmOptions = {}, start?: Value): Value {
  const factor = scaled.get(a);
  const { transA = false, transB = false } = options;
  const alpha = (options.alpha ?? 1) * (factor?.factor ?? 1);
  const left = factor?.of ?? a;
  const [height, depth] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const width = b.shape[transB ? 0 : 1]!;
  if (!transA && width > height && width < WIDE && depth > BLOCK) {
    const tall = gemm(b, left, { transA: !transB, transB: true, alpha });
    // As a batch of one: ONNX Runtime would turn a product that is only transposed back into the wide one.
    const batch = reshape(tall, { shape: [1, width, height] });
    const result = reshape(swapLast(batch), { shape: [height, width] });
    return start ? add(start, result) : result;
  }
  return start ? gemm(left, b, start, { transA, transB, alpha }) : gemm(left, b, { transA, transB, alpha });
}

/** So wide that each of 16 threads gets more than 64 columns. */
const WIDE = 1280;
/** The longest sum that is always added in one block. */
const BLOCK = 128;

/**
 * `aᵀ · b` over the last two axes, `b` narrow: its transpose is computed, since to transpose `a` costs half a product.
 *
 * The transpose is wider than tall, so it is added up from parts of at most `BLOCK` rows (see `matrixProduct`).
 */
export function thinProduct(a: Value, b: Value): Value {
  const [count, wide] = a.shape.slice(-2) as [number, number];
  const parts = Array.from({ length: count }, (_, i) => i + 1).find((n) => count % n === 0 && count / n <= BLOCK)!;
  if (parts === 1) return swapLast(batchProduct(swapLast(b), a));
  // Rows that hardly divide would make too many parts.
  if (parts > count / 32) return batchProduct(swapLast(a), b);
  const cut = (x: Value, columns: number) => ({ shape: [...x.shape.slice(0, -2), parts, count / parts, columns] });
  const products = batchProduct(swapLast(reshape(b, cut(b, b.shape.at(-1)!))), reshape(a, cut(a, wide)));
  const axis = products.shape.length - 3;
  const whole = products.shape.filter((_, i) => i !== axis);
  return swapLast(reshape(sum(products, { axes: [axis] }), { shape: whole }));
}

/** Zeros of a shape, in the graph of `near`. */
export function zeros(near: Value, { shape }: { shape: Shape }): Value {
  return near.graph.node('ConstantOfShape', [near.graph.integers(shape)], {}, 'float32', shape);
}

/** The last two axes exchanged. */
export function swapLast(x: Value): Value {
  const last = x.shape.length - 1;
  return transpose(x, { order: [...x.shape.keys()].map((axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis)) });
}

/** `x` summed down to a shape that broadcasts to its own. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes = [...x.shape.keys()].filter(
    (axis) => axis < missing || (shape[axis - missing] === 1 && x.shape[axis] !== 1),
  );
  return reshape(sum(x, { axes }), { shape });
}

function numberOf(x: Value): number | undefined {
  return x.shape.length === 0 && x.dtype === 'float32' ? (x.graph.constants.get(x)?.[0] as number) : undefined;
}

function broadcast(label: string, [a, b]: Two): Shape {
  const shape = broadcastShapes(a.shape, b.shape);
  expects(shape !== undefined && a.dtype === b.dtype, label, 'the inputs do not fit each other', [a, b]);
  return shape;
}

function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, axis: number) => shape[shape.length - rank + axis] ?? 1;
  const axes = Array.from({ length: rank }, (_, axis) => [at(a, axis), at(b, axis)] as const);
  return axes.every(([m, n]) => m === n || m === 1 || n === 1) ? axes.map(([m, n]) => Math.max(m, n)) : undefined;
}

function reduced(shape: Shape, axes: readonly number[]): Shape {
  if (!axes.every((axis) => axis >= 0 && axis < shape.length)) throw new ShapeError('Reduce', `no axes [${axes}]`);
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}
