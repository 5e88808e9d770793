/** How long it takes until the command line speaks: from the start of `./folkmoot` to its first byte of output. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Figure, median } from './bench.ts';

const REPEATS = 7;
const COMMANDS = [['--help'], ['status'], ['bench']];

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const home = await mkdtemp(join(tmpdir(), 'folkmoot-start-'));
  try {
    for (const command of COMMANDS) {
      const times: number[] = [];
      for (let i = 0; i < REPEATS; i++) times.push(await silenceMs([...command, '--home', home], signal));
      yield { name: `folkmoot ${command.join(' ')}`, value: median(times), unit: 'ms', note: 'under 1000 is wanted' };
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Milliseconds before the first byte, on either stream: a home without a run is told on stderr. */
async function silenceMs(options: readonly string[], signal: AbortSignal): Promise<number> {
  const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
  const startedMs = performance.now();
  const child = spawn(script, options, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const spokeMs = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    // A command that ends without a word has said as much.
    child.on('close', () => resolve(performance.now()));
    for (const stream of [child.stdout, child.stderr]) stream.once('data', () => resolve(performance.now()));
  });
  // The next start must not share the processor with the end of this one.
  if (child.exitCode === null) await new Promise((resolve) => child.on('close', resolve));
  return spokeMs - startedMs;
}
