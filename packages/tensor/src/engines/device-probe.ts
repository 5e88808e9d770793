/** Whether a GPU computes at all, and rightly: drivers exist that load, run, and are wrong. */
import { WorldError } from '@folkmoot/core';
import { compile } from '../compile.ts';
import { Graph } from '../graph.ts';
import { divide, exponential, matrixProduct, shift, squareRoot, sum } from '../operators.ts';
import type { DeviceRuntime } from './device-runtime.ts';
import { firstLine, messageOf, type OrtSession } from './host.ts';

const SIZE = 24;
/** GPUs may round divisions and exponentials in their last three bits. */
const TOLERANCE = 1e-4;

/**
 * Runs a small program on the device. Throws `engine-unavailable` unless its result is right.
 *
 * Returns its session: the device lives as long as any session does.
 */
export async function probeDevice(runtime: DeviceRuntime): Promise<OrtSession> {
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 37) % 101) / 101 - 0.5);
  const { session, found } = await compute(runtime, data).catch((cause) => {
    throw unavailable(runtime, firstLine(messageOf(cause)), cause);
  });
  const worst = expected(data).reduce((most, y, i) => Math.max(most, Math.abs(found[i]! - y) / y), 0);
  if (!(worst < TOLERANCE)) throw unavailable(runtime, `a test program came out wrong by ${worst.toPrecision(2)}`);
  return session;
}

async function compute(
  runtime: DeviceRuntime,
  data: Float32Array,
): Promise<{ session: OrtSession; found: Float32Array }> {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [SIZE, SIZE]);
  const weights = exponential(matrixProduct(a, a, { transB: true }));
  const normal = divide(weights, sum(weights, { axes: [1] }));
  graph.output('y', squareRoot(shift(normal, { term: 1 })));
  const session = await runtime.createSession(compile(graph, 'probe').bytes, { y: 'cpu' });
  const { y } = await session.run(
    { a: runtime.createTensor('float32', data, [SIZE, SIZE]) },
    { y: null },
    { logSeverityLevel: 4 },
  );
  return { session, found: y!.data as Float32Array };
}

/** The same in double precision: the square root of 1 + softmax of the rows of a·aᵀ. */
function expected(a: Float32Array): Float64Array {
  const result = new Float64Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) {
    const weights = Array.from({ length: SIZE }, (_, column) => {
      let product = 0;
      for (let k = 0; k < SIZE; k++) product += a[row * SIZE + k]! * a[column * SIZE + k]!;
      return Math.exp(product);
    });
    const total = weights.reduce((all, weight) => all + weight, 0);
    for (const [column, weight] of weights.entries()) result[row * SIZE + column] = Math.sqrt(1 + weight / total);
  }
  return result;
}

function unavailable({ name }: DeviceRuntime, reason: string, cause?: unknown): WorldError {
  return new WorldError('engine-unavailable', 'The GPU cannot be used.', {
    facts: { engine: name, reason },
    help: 'Use the native engine (in a browser: the exact one), or a newer driver.',
    cause,
  });
}
