/** Types and style are tests like the others, so that one count tells everything. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

test('types agree (tsc)', () => passes('typescript', 'tsc', ['-p', '.']));

test('style is kept (biome check)', () => passes('@biomejs/biome', 'biome', ['check', '--colors=off']));

async function passes(packageName: string, binary: string, args: string[]): Promise<void> {
  const [code, output] = await run(process.execPath, [entryOf(packageName, binary), ...args]);
  assert.ok(code === 0, `${binary} ${args.join(' ')} found:\n${output}`);
}

/** The script behind a package's command: shims in .bin are written by the package manager and differ by platform. */
function entryOf(packageName: string, binary: string): string {
  const manifestPath = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  return join(dirname(manifestPath), createRequire(import.meta.url)(manifestPath).bin[binary]);
}

function run(file: string, args: string[]): Promise<[code: number, output: string]> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve([error === null ? 0 : Number(error.code ?? 1), stdout + stderr]);
    });
  });
}
