/** The command line as a script or a person types it, in a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const script = fileURLToPath(new URL('../folkmoot', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: what scripts get is JSON; each test looks at what it needs.
export type Json = any;

export async function json(...args: string[]): Promise<Json> {
  const lines = await jsonLines(...args);
  assert.equal(lines.length, 1, args.join(' '));
  assert.equal(lines[0].error, undefined, JSON.stringify(lines[0].error));
  return lines[0];
}

export async function jsonLines(...args: string[]): Promise<Json[]> {
  const { stdout } = await folkmoot(...args, '--json');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Not spawnSync: the member in this process must go on answering meanwhile. */
export function folkmoot(...args: string[]): Promise<{ stdout: string; stderr: string; status: number }> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return new Promise((resolve) => {
    const options = { env, timeout: 60_000, maxBuffer: 2 ** 26 };
    const child = execFile(script, args, options, (error, stdout, stderr) => {
      resolve({ stdout, stderr, status: error ? Number(error.code ?? -1) : 0 });
    });
    child.stdin?.end();
  });
}
