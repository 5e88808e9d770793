import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bytesOf, isWorldError, sha256 } from '@folkmoot/core';
import { compile } from '../compile.ts';
import type { DeviceBuffer, Engine, EngineKind, TensorData } from '../engine.ts';
import { Graph } from '../graph.ts';
import { add, exponential, matrixProduct, multiply, rows, softmax, sum } from '../operators.ts';
import type { Program } from '../program.ts';
import { createEngine } from './create-engine.node.ts';
import { checkExactWasm, EXACT_WASM_SHA256 } from './exact.ts';

const engines = new Map<string, Promise<Engine>>();
/** On a GPU the same contract is kept, where there is one: a software adapter of Vulkan will do. */
const withoutGpu = await shared('webgpu').then(() => false as const, whyNot);
const KINDS: EngineKind[] = withoutGpu ? ['native', 'exact'] : ['native', 'exact', 'webgpu'];
if (withoutGpu) test('webgpu keeps the contract too', { skip: withoutGpu }, () => {});

/** One engine of each sort for all tests: starting one takes most of a second. */
function shared(kind: EngineKind, threads = 1): Promise<Engine> {
  const key = `${kind} ${threads}`;
  if (!engines.has(key)) engines.set(key, createEngine(kind, { threads, softwareGpu: true }));
  return engines.get(key)!;
}

function whyNot(error: unknown): string {
  if (!isWorldError(error, 'engine-unavailable')) throw error;
  engines.clear();
  return String(error.facts.reason);
}

after(async () => {
  for (const engine of engines.values()) await (await engine).close();
});

/** a + b and a · b, elementwise on [n]. */
function pairProgram(n: number): Program {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [n]);
  const b = graph.input('b', 'float32', [n]);
  graph.output('total', add(a, b));
  graph.output('product', multiply(a, b));
  return compile(graph, 'pair');
}

/** Sums whose bits show the order of additions: a softmax of a·aᵀ, and row sums of exp(a), a is [m, n]. */
function sumsProgram(m: number, n: number): Program {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [m, n]);
  graph.output('similar', softmax(matrixProduct(a, a, { transB: true })));
  graph.output('sums', sum(exponential(a), { axes: [1] }));
  graph.output('plain', sum(a, { axes: [1] }));
  return compile(graph, 'sums');
}

function lookupProgram(): Program {
  const graph = new Graph();
  graph.output('row', rows(graph.input('table', 'float32', [4, 2]), graph.input('ids', 'int32', [3])));
  return compile(graph, 'lookup');
}

function noise(length: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.3;
  });
}

async function bufferOf(engine: Engine, data: Float32Array): Promise<DeviceBuffer> {
  const buffer = await engine.allocate('float32', data.length);
  await buffer.write(data);
  return buffer;
}

function digestOf(values: Record<string, TensorData>): string {
  return Object.values(values)
    .map((data) => sha256(bytesOf(data)))
    .join();
}

for (const kind of KINDS) {
  test(`${kind}: outputs come back as data, or land in a view at any offset and nowhere else`, async () => {
    const engine = await shared(kind);
    const pair = await engine.load(pairProgram(4));
    const buffer = await bufferOf(
      engine,
      Float32Array.from({ length: 24 }, (_, i) => i),
    );
    for (const offset of [8, 13, 20]) {
      const total = { buffer, offset };
      const result = await pair.run({ a: { buffer, offset: 1 }, b: Float32Array.of(100, 200, 300, 400), total });
      assert.deepEqual(result, { product: Float32Array.of(100, 400, 900, 1600) });
      const all = await buffer.read();
      const expected = Float32Array.from({ length: 24 }, (_, i) => i);
      expected.set([101, 202, 303, 404], offset);
      assert.deepEqual(all, expected);
      await buffer.write(Float32Array.from({ length: 24 }, (_, i) => i));
    }
    await buffer.free();
    await pair.free();
  });

  test(`${kind}: a batch runs in order, and each run sees what the one before wrote`, async () => {
    const engine = await shared(kind);
    const pair = await engine.load(pairProgram(2));
    const buffer = await bufferOf(engine, Float32Array.of(1, 1, 0, 0, 0, 0));
    const at = (offset: number) => ({ buffer, offset });
    await pair.runEach([
      { a: at(0), b: Float32Array.of(1, 2), total: at(2) },
      { a: at(2), b: at(0), total: at(4) },
      { a: at(4), b: at(2), product: at(0) },
    ]);
    assert.deepEqual(await buffer.read(), Float32Array.of(6, 12, 2, 3, 3, 4));
    await assert.rejects(pair.runEach([{ a: at(0), b: at(2) }]), RangeError);
  });

  test(`${kind}: what is made element by element may take the place of what it is made of, and nothing else may`, async () => {
    const engine = await shared(kind);
    const pair = await engine.load(pairProgram(4));
    const buffer = await bufferOf(engine, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
    const at = (offset: number) => ({ buffer, offset });
    assert.equal(pair.inPlace, engine.memory === 'host');
    if (!pair.inPlace) return assert.rejects(pair.run({ a: at(0), b: at(4), total: at(0) }), /overlaps a/);
    await pair.runEach([{ a: at(0), b: at(4), total: at(0), product: at(4) }]);
    assert.deepEqual(await buffer.read(), Float32Array.of(6, 8, 10, 12, 5, 12, 21, 32, 9));
    await assert.rejects(pair.run({ a: at(0), b: at(4), total: at(1) }), /overlaps a/);
    await assert.rejects(pair.run({ a: at(0), b: at(2), total: at(0) }), /overlaps b/);
    await assert.rejects(pair.run({ a: at(0), b: at(4), total: at(0), product: at(0) }), /overlaps total/);
    const sums = await engine.load(sumsProgram(2, 2));
    assert(!sums.inPlace);
    await assert.rejects(sums.run({ a: at(0), similar: at(0) }), /overlaps a/);
  });

  test(`${kind}: buffers keep what is written, in the range that is written`, async () => {
    const engine = await shared(kind);
    const buffer = await engine.allocate('int32', 5);
    const whole = Int32Array.of(9, 9, 7, 8, 9);
    await buffer.write(whole.subarray(2, 4), 3);
    assert.equal(whole.length, 5, 'the caller keeps its array');
    assert.deepEqual(await buffer.read(), Int32Array.of(0, 0, 0, 7, 8));
    assert.deepEqual(await buffer.read(2, 2), Int32Array.of(0, 7));
    assert.equal(await buffer.digest(), sha256(bytesOf(Int32Array.of(0, 0, 0, 7, 8))));
    await assert.rejects(buffer.write(Int32Array.of(1, 2), 4), RangeError);
    await assert.rejects(buffer.write(Float32Array.of(1)), RangeError);
    await assert.rejects(buffer.read(4, 2), RangeError);
    await assert.rejects(engine.allocate('float32', 0), RangeError);
    await buffer.free();
    await buffer.free();
    await assert.rejects(buffer.read(), RangeError);
  });

  test(`${kind}: bindings that do not fit are refused`, async () => {
    const engine = await shared(kind);
    const other = await shared(kind === 'native' ? 'exact' : 'native');
    const pair = await engine.load(pairProgram(4));
    const buffer = await engine.allocate('float32', 16);
    const integers = await engine.allocate('int32', 16);
    const gone = await engine.allocate('float32', 16);
    await gone.free();
    const at = (offset: number, of = buffer) => ({ buffer: of, offset });
    const good = { a: at(0), b: at(4), total: at(8), product: at(12) };
    await pair.run(good);
    await pair.run({ ...good, b: at(2) }); // Inputs may overlap each other.
    const bad: [RegExp, Record<string, unknown>][] = [
      [/no input or output named c/, { ...good, c: at(0) }],
      [/input b is not bound/, { a: at(0) }],
      [/b is float32, its buffer int32/, { ...good, b: at(0, integers) }],
      [/b is float32, not int32/, { ...good, b: new Int32Array(4) }],
      [/has 4 elements, not 5/, { ...good, b: new Float32Array(5) }],
      [/does not fit/, { ...good, b: at(13) }],
      [/does not fit/, { ...good, b: at(-1) }],
      [/does not fit/, { ...good, b: at(0.5) }],
      [/output total at \[7, 11\) overlaps b/, { ...good, total: at(7) }],
      [/output product at \[9, 13\) overlaps total/, { ...good, product: at(9) }],
      [/must be bound to a view/, { ...good, total: new Float32Array(4) }],
      [/freed, or belongs to another engine/, { ...good, b: at(0, gone) }],
      [/freed, or belongs to another engine/, { ...good, b: at(0, await other.allocate('float32', 8)) }],
    ];
    for (const [reason, bindings] of bad)
      await assert.rejects(
        pair.run(bindings as never),
        (error) => error instanceof RangeError && reason.test(`${error}`),
      );
  });

  const skip = kind === 'webgpu' && 'a GPU has nothing to say of an index beyond a tensor: it reads something else';
  test(`${kind}: a run that fails says why, and the next one works`, { skip }, async () => {
    const engine = await shared(kind);
    const lookup = await engine.load(lookupProgram());
    const table = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const failing = lookup.run({ table, ids: Int32Array.of(0, 1, 4) });
    const waiting = lookup.run({ table, ids: Int32Array.of(3, 0, 3) });
    await assert.rejects(
      failing,
      (error) => isWorldError(error, 'engine-run') && /bounds/.test(`${error.facts.reason}`),
    );
    assert.deepEqual((await waiting).row, Float32Array.of(6, 7, 0, 1, 6, 7));
  });

  test(`${kind}: damaged and invalid programs are refused`, async () => {
    const engine = await shared(kind);
    const program = pairProgram(3);
    const bytes = program.bytes.slice();
    bytes[bytes.length >> 1]! ^= 1;
    await assert.rejects(engine.load({ ...program, bytes }), (error) => isWorldError(error, 'program-invalid'));
    const junk = new Uint8Array(100).fill(0xee);
    await assert.rejects(engine.load({ ...program, bytes: junk, id: sha256(junk) }), (error) =>
      isWorldError(error, 'program-invalid'),
    );
    const swapped = { ...program, inputs: [...program.inputs].reverse() };
    await assert.rejects(engine.load(swapped), (error) => isWorldError(error, 'program-invalid'));
    await (await engine.load(program)).free();
  });

  test(`${kind}: the same bits for one and two threads, and wherever the data lies`, async () => {
    const data = noise(61 * 83);
    const program = sumsProgram(61, 83);
    const digests = new Set<string>();
    for (const threads of kind === 'webgpu' ? [1] : [1, 2]) {
      const engine = await shared(kind, threads);
      const sums = await engine.load(program);
      digests.add(digestOf(await sums.run({ a: data })));
      for (const offset of [1, 2, 3, 4, 7, 16]) {
        const buffer = await engine.allocate('float32', data.length + 16);
        await buffer.write(data, offset);
        digests.add(digestOf(await sums.run({ a: { buffer, offset } })));
        await buffer.free();
      }
    }
    assert.equal(digests.size, 1);
  });

  test(`${kind}: two executables can be asked at the same time`, async () => {
    const engine = await shared(kind, kind === 'webgpu' ? 1 : 2);
    const small = await engine.load(pairProgram(2));
    const large = await engine.load(pairProgram(5000));
    const a = noise(5000);
    const results = await Promise.all(
      [1, 2, 3].flatMap((factor) => [
        large.run({ a, b: a.map(() => factor) }),
        small.run({ a: a.slice(0, 2), b: Float32Array.of(factor, factor) }),
      ]),
    );
    for (const factor of [1, 2, 3]) {
      const [whole, part] = results.slice(2 * factor - 2);
      assert.deepEqual(
        whole!.product,
        a.map((x) => Math.fround(x * factor)),
      );
      assert.deepEqual(part!.product, whole!.product!.slice(0, 2));
    }
  });
}

test('all engines agree within rounding', async () => {
  const program = sumsProgram(61, 83);
  const a = noise(61 * 83);
  const [exact, ...others] = await Promise.all(
    KINDS.toSorted().map(async (kind) => (await (await shared(kind)).load(program)).run({ a })),
  );
  for (const other of others)
    for (const name of ['similar', 'sums', 'plain'])
      other[name]!.forEach((x, i) => {
        const y = exact![name]![i]!;
        assert.ok(Math.abs(x - y) <= 1e-5 * (1 + Math.abs(y)), `${name}[${i}]: ${x} and ${y}`);
      });
});

test('close ends a batch early, can be repeated, and nothing works afterwards', async () => {
  const engine = await createEngine('native', { threads: 1 });
  assert.match(engine.name, /^native onnxruntime 1\.30\.0 cpu \w+$/);
  const sums = await engine.load(sumsProgram(500, 500));
  const similar = { buffer: await engine.allocate('float32', 500 * 500), offset: 0 };
  const a = { buffer: await bufferOf(engine, noise(500 * 500)), offset: 0 };
  const endless = assert.rejects(sums.runEach(new Array(100_000).fill({ a, similar })), (error) =>
    isWorldError(error, 'engine-closed'),
  );
  await Promise.all([engine.close(), engine.close(), endless]);
  await engine.close();
  await assert.rejects(engine.allocate('float32', 1), (error) => isWorldError(error, 'engine-closed'));
  await assert.rejects(sums.run({ a }), (error) => isWorldError(error, 'engine-closed'));
  await assert.rejects(similar.buffer.read(), (error) => isWorldError(error, 'engine-closed'));
});

test('a forgotten engine does not keep the process alive', async () => {
  for (const kind of KINDS) {
    const script = `
      const { createEngine } = await import(${JSON.stringify(new URL('./create-engine.node.ts', import.meta.url).href)});
      const engine = await createEngine('${kind}', { threads: 2, softwareGpu: true });
      const buffer = await engine.allocate('float32', 3);
      console.log((await buffer.read()).length);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => child.kill(), 60_000);
    const [code] = await once(child, 'exit');
    clearTimeout(timer);
    assert.equal(code, 0, kind);
  }
});

test('exact: another WebAssembly file is refused', async () => {
  const { readFile } = await import('node:fs/promises');
  const wasm = await readFile(fileURLToPath(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')));
  checkExactWasm(wasm);
  wasm[1000]! ^= 1;
  assert.throws(
    () => checkExactWasm(wasm),
    (error) => isWorldError(error, 'engine-mismatch') && error.facts.expected === EXACT_WASM_SHA256,
  );
});

test('threads must make sense', async () => {
  for (const threads of [0, 1.5, -1]) await assert.rejects(createEngine('native', { threads }), RangeError);
  const engine = await createEngine('exact', { threads: 65 });
  assert.equal(engine.threads, 16, 'more than bits allow are not used');
  await engine.close();
});
