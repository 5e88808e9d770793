/** Order among operations that do not depend on each other: engines choose it, unless the graph leaves no choice. */
import { elementsOf, type Value } from './graph.ts';
import { add, reshape, rows, slice } from './operators.ts';

/**
 * `x`, bit for bit, which an engine can have only after it has computed `earlier` (float32 values of the same graph).
 *
 * ONNX Runtime computes what leads to the last output first, and everything that nothing waits for at the end of a step:
 * a training step then holds the gradients of all activations until the first gradient of a weight is computed. It also
 * computes equal subexpressions once, and keeps the result.
 *
 * `x` is read as the row of a table of one row, at an index that comes from `earlier` and is always 0: no optimizer knows
 * that, and copying a row changes no bit, neither of −0 nor of NaN. Costs one copy of `x`. Not differentiable.
 */
export function after(x: Value, earlier: readonly Value[]): Value {
  if (earlier.length === 0) return x;
  const { graph } = x;
  return graph.unrecorded(() => {
    const witness = earlier.map(firstElement).reduce((soFar, element) => add(soFar, element));
    // Not even a NaN is less than itself.
    const never = graph.node('Less', [witness, witness], {}, 'bool', [1]);
    const index = graph.node('Cast', [never], { to: INT32 }, 'int32', [1]);
    const table = reshape(x, { shape: [1, elementsOf(x.shape)] });
    return reshape(rows(table, index), { shape: x.shape });
  });
}

const INT32 = 6;

function firstElement(value: Value): Value {
  const corner = value.shape.reduce((part, _, axis) => slice(part, { axis, start: 0, end: 1 }), value);
  return reshape(corner, { shape: [1] });
}
