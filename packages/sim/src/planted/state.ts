/** Names the source that bugs are planted in, so that a row of the table says what it is of. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AIMS } from './aims.ts';
import type { PlantedBug } from './bug.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** Bugs are named one by one: another one changes no row of the others. */
const BUGS = 'packages/sim/src/planted/';

/** Reads all sources of `packages/` once. Returns, of a bug, eight digits of their tree, a dash and four of the bug. */
export function readState(): (bug: PlantedBug) => string {
  const tree = createHash('sha256');
  const files = globSync('packages/*/src/**/*.ts', { cwd: ROOT }).filter((path) => !path.startsWith(BUGS));
  for (const path of files.sort())
    tree.update(`${path} `).update(
      createHash('sha256')
        .update(readFileSync(`${ROOT}/${path}`))
        .digest(),
    );
  const name = tree.digest('hex').slice(0, 8);
  return ({ file, find, put, by, name: bug }) => {
    const own = JSON.stringify([file, find, put, by ?? 'worlds', AIMS[bug] ?? '']);
    return `${name}-${createHash('sha256').update(own).digest('hex').slice(0, 4)}`;
  };
}
