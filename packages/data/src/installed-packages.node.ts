/** The packages that pnpm installed in a workspace. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareNames } from './documents.ts';
import { cleanLicence } from './licence.ts';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** As its `package.json` says, or `undefined`. */
  readonly licence: string | undefined;
  readonly folder: string;
}

/**
 * Packages in `node_modules/.pnpm` under `workspaceRoot`, sorted by name, the highest version of each.
 *
 * Without those for one operating system or processor: two machines with the same lockfile see the same packages. Empty
 * where pnpm has installed nothing. `only`: nothing but these, as `name@version`.
 */
export async function installedPackages(
  workspaceRoot: string,
  only?: ReadonlySet<string>,
): Promise<InstalledPackage[]> {
  const store = join(workspaceRoot, 'node_modules', '.pnpm');
  const highest = new Map<string, InstalledPackage>();
  for (const entry of (await readdir(store).catch(() => [])).sort(compareNames))
    for (const folder of await packageFolders(join(store, entry, 'node_modules'))) {
      const found = await readPackage(folder);
      if (found && only && !only.has(`${found.name}@${found.version}`)) continue;
      const before = found && highest.get(found.name);
      if (found && (!before || compareVersions(before.version, found.version) < 0)) highest.set(found.name, found);
    }
  return [...highest.values()].sort((a, b) => compareNames(a.name, b.name));
}

/** Folders only: the links beside them are dependencies, which have entries of their own. */
async function packageFolders(modules: string): Promise<string[]> {
  const entries = await readdir(modules, { withFileTypes: true }).catch(() => []);
  const folders: string[] = [];
  for (const entry of entries) {
    const path = join(modules, entry.name);
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    if (entry.name.startsWith('@')) folders.push(...(await packageFolders(path)));
    else folders.push(path);
  }
  return folders;
}

async function readPackage(folder: string): Promise<InstalledPackage | undefined> {
  try {
    const { name, version, license, os, cpu } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    if (typeof name !== 'string' || typeof version !== 'string' || os !== undefined || cpu !== undefined)
      return undefined;
    return { name, version, licence: cleanLicence(license), folder };
  } catch {
    return undefined;
  }
}

/** By the numbers in them, then as text: enough to choose one, the same on every machine. */
function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => (version.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++)
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0);
  return compareNames(a, b);
}
