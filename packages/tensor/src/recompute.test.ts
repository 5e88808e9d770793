import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromUtf8, SeededRandom } from '@folkmoot/core';
import { InferenceSession } from 'onnxruntime-node';
import { compile } from './compile.ts';
import { linear, rmsNorm, swiglu } from './composites.ts';
import type { EngineKind } from './engine.ts';
import { createEngine } from './engines/create-engine.node.ts';
import { gradients } from './gradients.ts';
import { elementsOf, Graph, type Value } from './graph.ts';
import { add, multiply, reshape, sumOfSquares } from './operators.ts';
import { after } from './order.ts';
import type { Program } from './program.ts';
import { readFields } from './protobuf.ts';
import { type MemoryPlan, withMemoryPlan } from './recompute.ts';

const [ROWS, WIDTH, BLOCKS] = [48, 160, 4];
const PLANS: MemoryPlan[] = ['plain', 'ordered', 'recompute'];

/** A residual network whose blocks are checkpoints. */
function network(plan: MemoryPlan): Program {
  const graph = new Graph();
  const weights: [string, Value][] = [];
  const weight = (name: string, shape: number[]) => {
    weights.push([name, graph.input(name, 'float32', shape)]);
    return weights.at(-1)![1];
  };
  const shared = weight('shared', [WIDTH, WIDTH]);
  let x: Value = linear(graph.input('x', 'float32', [ROWS, WIDTH]), shared);
  graph.checkpoint(x);
  for (let i = 0; i < BLOCKS; i++) {
    const unit = rmsNorm(x, weight(`norm${i}`, [WIDTH]), { epsilon: 1e-5 });
    const gated = swiglu(
      linear(unit, weight(`gate${i}`, [2 * WIDTH, WIDTH])),
      linear(unit, weight(`up${i}`, [2 * WIDTH, WIDTH])),
    );
    x = add(x, linear(gated, weight(`down${i}`, [WIDTH, 2 * WIDTH])));
    graph.checkpoint(x);
  }
  const loss = reshape(sumOfSquares(linear(x, shared), { axes: [0, 1] }), { shape: [] });
  graph.output('loss', loss);
  const forward = graph.nodes.length;
  const slopes = gradients(
    loss,
    weights.map(([, value]) => value),
  );
  for (const [i, [name]] of weights.entries()) graph.output(`grad:${name}`, slopes[i]!);
  return compile(withMemoryPlan(graph, forward, plan), 'network');
}

/** Operators that ONNX Runtime is left with after its own rewriting. */
async function optimized(program: Program): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'folkmoot-optimized-'));
  try {
    const path = join(folder, 'optimized.onnx');
    const session = await InferenceSession.create(program.bytes, {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: path,
      logSeverityLevel: 4,
    });
    await session.release();
    return operatorsIn(await readFile(path));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function operatorsIn(model: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const graph of readFields(model))
    if (graph.number === 7)
      for (const node of readFields(graph.bytes))
        if (node.number === 1)
          for (const field of readFields(node.bytes))
            if (field.number === 4) {
              const type = fromUtf8(field.bytes);
              counts.set(type, (counts.get(type) ?? 0) + 1);
            }
  return counts;
}

for (const kind of ['native', 'exact'] satisfies EngineKind[])
  test(`${kind}: no plan changes a bit of the loss or of any gradient`, async () => {
    const engine = await createEngine(kind, { threads: 2 });
    const results = [];
    for (const plan of PLANS) {
      const program = network(plan);
      const feeds = program.inputs.map(({ name, shape }) => [name, random(name, elementsOf(shape))]);
      const executable = await engine.load(program);
      results.push(await executable.run(Object.fromEntries(feeds)));
      await executable.free();
    }
    await engine.close();
    assert.ok(Number.isFinite(results[0]!.loss![0]!));
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });

test('what is computed again is left so by the engine, and only that', async () => {
  const counts = await Promise.all(PLANS.map((plan) => optimized(network(plan))));
  // A gate times its sigmoid that nothing else uses is one operator to ONNX Runtime.
  const gates = counts.map((count) => (count.get('Sigmoid') ?? 0) + (count.get('QuickGelu') ?? 0));
  assert.deepEqual(gates, [BLOCKS, BLOCKS, 2 * BLOCKS]);
  // Each block's projection down is not needed by its own derivative: three products, of which two come again.
  const products = counts.map((count) => (count.get('Gemm') ?? 0) + (count.get('FusedGemm') ?? 0));
  assert.deepEqual([products[1]! - products[0]!, products[2]! - products[0]!], [0, 2 * BLOCKS]);
});

test('the inputs and outputs are those of the plain program; without checkpoints it is the plain program', () => {
  const plain = network('plain');
  for (const plan of PLANS.slice(1)) {
    const { id, inputs, outputs } = network(plan);
    assert.notEqual(id, plain.id);
    assert.deepEqual([inputs, outputs], [plain.inputs, plain.outputs]);
  }
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const loss = reshape(sumOfSquares(x, { axes: [0] }), { shape: [] });
  const forward = graph.nodes.length;
  graph.output('slope', gradients(loss, [x])[0]!);
  assert.equal(compile(withMemoryPlan(graph, forward, 'recompute'), 'a').id, compile(graph, 'a').id);
});

for (const kind of ['native', 'exact'] satisfies EngineKind[])
  test(`${kind}: waiting changes no bit of a value, whatever it waits for`, async () => {
    const bits = Uint32Array.of(0x80000000, 0, 0x7fc00001, 0xffc12345, 0x7f800000, 0xff800000, 1, 0x80000001);
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 4]);
    const earlier = graph.input('earlier', 'float32', [3, 2]);
    graph.output('y', after(x, [multiply(earlier, earlier), earlier]));
    const engine = await createEngine(kind, { threads: 1 });
    const executable = await engine.load(compile(graph, 'after'));
    for (const first of [1, Number.NaN, Number.POSITIVE_INFINITY, -0]) {
      const { y } = await executable.run({
        x: new Float32Array(bits.buffer),
        earlier: Float32Array.of(first, 0, 0, 0, 0, 0),
      });
      assert.deepEqual(new Uint32Array(y!.buffer), bits);
    }
    await engine.close();
  });

function random(seed: string, length: number): Float32Array {
  const source = new SeededRandom(seed);
  return Float32Array.from({ length }, () => (source.uint32() / 2 ** 31 - 1) / 8);
}
