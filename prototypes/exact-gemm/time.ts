/**
 * How fast? Every matrix product of a training step on each engine in turn, on one thread, by processor time; the fastest
 * of `--repeats` counts, since whatever else the machine does only ever adds. Then what the products of a step take.
 *
 * node time.ts [--preset small] [--rows 8] [--repeats 9]
 */
import { parseArgs } from 'node:util';
import { PRESETS, type PresetName } from '@folkmoot/model';
import { addon, type GemmEngine, onnxRuntime, type Prepared, torch, wasm } from './engines.ts';
import { gemmProgram, productsOf } from './products.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'small' },
    rows: { type: 'string', default: '8' },
    repeats: { type: 'string', default: '9' },
  },
});
const engines: GemmEngine[] = [
  await onnxRuntime('native', gemmProgram),
  await onnxRuntime('wasm', gemmProgram),
  await wasm(1),
  addon('sse2', 1),
  addon('avx2', 1),
  addon('avx512', 1),
  torch(),
].filter((engine) => engine !== undefined);

console.log(['GFLOP/s'.padEnd(24), ...engines.map(({ name }) => name.padStart(22))].join(''));
const stepMs = engines.map(() => 0);
let stepFlops = 0;
for (const product of productsOf(PRESETS[values.preset as PresetName], Number(values.rows))) {
  const { m, n, k, count } = product;
  const numbers = (length: number) => Float32Array.from({ length }, () => Math.random() - 0.5);
  const [a, b] = [numbers(m * k), numbers(k * n)];
  const prepared: Prepared[] = [];
  for (const engine of engines) prepared.push(await engine.prepare(product, a, b));
  const best = engines.map(() => Number.POSITIVE_INFINITY);
  for (let repeat = 0; repeat <= Number(values.repeats); repeat++)
    for (const [i, entry] of prepared.entries()) {
      const ms = await entry.run();
      if (repeat > 0) best[i] = Math.min(best[i]!, ms);
    }
  stepFlops += 2 * m * n * k * count;
  for (const [i, ms] of best.entries()) stepMs[i]! += ms * count;
  const rates = best.map((ms) => ((2 * m * n * k) / ms / 1e6).toFixed(1).padStart(22));
  console.log([`${product.name} ${m}·${n}·${k}`.padEnd(24), ...rates].join(''));
}
console.log(['one step, ms'.padEnd(24), ...stepMs.map((ms) => ms.toFixed(0).padStart(22))].join(''));
const rates = stepMs.map((ms) => (stepFlops / ms / 1e6).toFixed(1).padStart(22));
console.log([`${(stepFlops / 1e9).toFixed(1)} GFLOP, GFLOP/s`.padEnd(24), ...rates].join(''));
for (const engine of engines) await engine.close();
