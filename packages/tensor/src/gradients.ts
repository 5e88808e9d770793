/** Reverse-mode differentiation: the graph walked backwards, each row's derivative extending it. */
import { assert } from '@folkmoot/core';
import { type Contribution, type Shape, ShapeError, type Value } from './graph.ts';
import { add, sumTo } from './operators.ts';

/**
 * The gradients of `loss` (shape []) with respect to `parameters`, in their order, as values of the same graph.
 *
 * Throws `ShapeError` where the way from a parameter to the loss passes an operator without a derivative, or where a
 * parameter does not reach the loss.
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  assert(loss.shape.length === 0, 'a loss has shape []');
  const { graph } = loss;
  const needed = reachedFrom(parameters);
  const owed = new Map<Value, Value>([[loss, graph.scalar(1)]]);
  graph.unrecorded(() => {
    for (const step of [...graph.tape].reverse()) {
      const d = owed.get(step.output);
      if (!d || !needed.has(step.output)) continue;
      if (!step.derivative) throw new ShapeError(step.label, 'has no derivative', step.inputs);
      for (const [i, contribution] of step.derivative(d).entries()) {
        const input = step.inputs[i];
        if (input && needed.has(input) && contribution)
          owed.set(input, settle(owed.get(input), contribution, input.shape));
      }
    }
  });
  return parameters.map((parameter) => {
    const gradient = owed.get(parameter);
    if (!gradient) throw new ShapeError(parameter.label, 'does not reach the loss');
    return gradient;
  });
}

/** Everything on the tape that depends on `parameters`. */
function reachedFrom(parameters: readonly Value[]): Set<Value> {
  const reached = new Set(parameters);
  for (const { inputs, output } of parameters[0]?.graph.tape ?? [])
    if (inputs.some((input) => reached.has(input))) reached.add(output);
  return reached;
}

function settle(soFar: Value | undefined, contribution: Exclude<Contribution, undefined>, shape: Shape): Value {
  if (typeof contribution === 'function') return contribution(soFar);
  const gradient = sumTo(contribution, shape);
  return soFar ? add(soFar, gradient) : gradient;
}
