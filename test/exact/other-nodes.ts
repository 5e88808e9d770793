/** Other versions of Node than the one that runs, from npm, for tests that compare them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../../.tools/nodes/', import.meta.url));
const INSTALL_MS = 180_000;

/**
 * The program of Node `version`: this one, one that was got before, or one that npm gets now into `.tools/nodes/` (about
 * 190 MB). Or why there is none.
 */
export function nodeProgram(version: string): { readonly path: string } | { readonly missing: string } {
  if (process.versions.node === version) return { path: process.execPath };
  const folder = join(TOOLS, version);
  const path = join(folder, 'node_modules/node/bin/node');
  try {
    if (!existsSync(path)) install(version, folder);
    const found = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
    return found === `v${version}` ? { path } : { missing: `npm brought Node ${found} instead of ${version}` };
  } catch (error) {
    return { missing: `npm could not get Node ${version}: ${String((error as Error).message).split('\n', 1)[0]}` };
  }
}

/** Into a folder beside, which takes its name when it is complete: two may do this at once. */
function install(version: string, folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  try {
    // The package chooses its platform's program in an install script, which newer releases of npm run on request only.
    const manifest = { private: true, dependencies: { node: version }, allowScripts: { node: true } };
    writeFileSync(join(made, 'package.json'), JSON.stringify(manifest));
    const flags = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--ignore-scripts=false'];
    execFileSync('npm', ['install', '--prefix', made, ...flags, '--prefer-offline', '--fetch-retries=1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INSTALL_MS,
    });
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
