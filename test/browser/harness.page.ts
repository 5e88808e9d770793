/** A page that does well and badly, for the tests of the harness. */

export async function add(a: number, b: number): Promise<{ sum: number; isolated: boolean }> {
  return { sum: a + b, isolated: crossOriginIsolated };
}

export function fail(): never {
  throw Object.assign(new RangeError('on purpose'), { code: 'code-7', facts: { size: 3 } });
}

export function complain(): void {
  console.error('a complaint');
}

/** An error that nobody awaits. */
export function stumble(): Promise<void> {
  setTimeout(() => {
    throw new Error('a stumble');
  });
  return new Promise((resolve) => setTimeout(resolve, 100));
}

export async function complainInWorker(): Promise<void> {
  const worker = new Worker(new URL('./harness.worker.ts', import.meta.url), { type: 'module' });
  await new Promise((resolve) => worker.addEventListener('message', resolve));
}
