/**
 * Are the bits equal? WebAssembly (one and three threads) and the addons (one and four threads) on many shapes, and a
 * twin of a few lines of JavaScript on the small ones. Exits with 1 where they are not.
 */
import { createHash } from 'node:crypto';
import { addon, type GemmEngine, type Product, wasm } from './engines.ts';

let seed = 1;
/** mulberry32: the same numbers everywhere. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Mostly ordinary numbers; some zeros of both signs, some so small that they have fewer bits, some large. */
function numbers(length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    const x = random() * 2 - 1;
    const kind = random();
    return kind < 0.02
      ? 0
      : kind < 0.04
        ? -0
        : kind < 0.08
          ? x * 1e-30
          : kind < 0.1
            ? x * 1e-42
            : kind < 0.12
              ? x * 1e9
              : x;
  });
}

function twin({ m, n, k, transA, transB }: Product, a: Float32Array, b: Float32Array): Float32Array {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let block = 0; block < k; block += 256) {
        let sum = 0;
        for (let p = block; p < Math.min(k, block + 256); p++)
          sum = Math.fround(sum + Math.fround(a[transA ? p * m + i : i * k + p]! * b[transB ? j * k + p : p * n + j]!));
        c[i * n + j] = block === 0 ? sum : c[i * n + j]! + sum;
      }
  return c;
}

const digest = (c: Float32Array) => createHash('sha256').update(new Uint8Array(c.buffer)).digest('hex').slice(0, 16);

function shapes(): Product[] {
  const edges = [1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 17, 31, 33, 63, 65, 127, 129, 255, 256, 257, 300, 511, 513];
  const pick = () => edges[Math.floor(random() * edges.length)]!;
  const small = Array.from({ length: 300 }, () => ({ m: pick(), n: pick(), k: pick() }));
  const large = [
    { m: 1, n: 4096, k: 1 },
    { m: 4097, n: 1, k: 3 },
    { m: 37, n: 3111, k: 1025 },
    { m: 2048, n: 768, k: 256 },
    { m: 768, n: 256, k: 2048 },
    { m: 256, n: 64, k: 256 },
    { m: 1024, n: 1024, k: 1024 },
  ];
  return [...small, ...large].flatMap((shape, i) => [
    { ...shape, transA: i % 2 === 1, transB: false },
    { ...shape, transA: i % 3 === 1, transB: true },
  ]);
}

const avx512 = process.argv.includes('--no-avx512') ? [] : [addon('avx512', 1), addon('avx512', 4)];
const engines: GemmEngine[] = [
  await wasm(1),
  await wasm(3),
  addon('sse2', 1),
  addon('avx2', 1),
  addon('avx2', 4),
  ...avx512,
];
let wrong = 0;
let twins = 0;
const all = createHash('sha256');
for (const product of shapes()) {
  const { m, n, k } = product;
  const [a, b] = [numbers(m * k), numbers(k * n)];
  const found = new Map<string, string>();
  for (const engine of engines) {
    const prepared = await engine.prepare(product, a, b);
    await prepared.run();
    found.set(engine.name, digest(prepared.result()));
  }
  if (m * n * k < 300_000) {
    found.set('JavaScript', digest(twin(product, a, b)));
    twins++;
  }
  if (new Set(found.values()).size > 1) {
    wrong++;
    console.log('different', product, Object.fromEntries(found));
  }
  all.update([...found.values()][0]!);
}
console.log(
  `${shapes().length} products on ${engines.map(({ name }) => name).join(', ')}; ${twins} of them in JavaScript too`,
);
console.log(
  wrong === 0 ? `all bits equal; sha-256 over all results ${all.digest('hex').slice(0, 16)}` : `${wrong} differ`,
);
for (const engine of engines) await engine.close();
process.exitCode = wrong === 0 ? 0 : 1;
