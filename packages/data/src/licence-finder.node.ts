/** The licence of a file, from the nearest `package.json` or licence file above it. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cleanLicence, licenceOfText } from './licence.ts';

/** `LICENSE`, `LICENSE-MIT`, `COPYING.txt`, but not `licence.ts`. */
const LICENCE_FILE = /^(licen[cs]e|copying|unlicense)([-_][a-z0-9.-]*)?(?<!\.(?!md|txt|rst)[a-z]+)(\.(md|txt|rst))?$/i;

/** Looks upwards from a folder, no further than `top`, and remembers what it found. */
export class LicenceFinder {
  readonly #top: string;
  readonly #found = new Map<string, Promise<string | undefined>>();

  constructor(top: string) {
    this.#top = top;
  }

  /** SPDX expression, or `undefined` where nothing says. */
  licenceOf(folder: string): Promise<string | undefined> {
    let found = this.#found.get(folder);
    if (!found) {
      found = this.#find(folder);
      this.#found.set(folder, found);
    }
    return found;
  }

  async #find(folder: string): Promise<string | undefined> {
    const here = (await licenceOfPackage(folder)) ?? (await licenceOfFolder(folder));
    if (here !== undefined || folder === this.#top || dirname(folder) === folder) return here;
    return this.licenceOf(dirname(folder));
  }
}

async function licenceOfPackage(folder: string): Promise<string | undefined> {
  try {
    return cleanLicence(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))?.license);
  } catch {
    return undefined;
  }
}

async function licenceOfFolder(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => LICENCE_FILE.test(each)).sort()) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    const licence = licenceOfText(text);
    if (licence !== undefined) return licence;
  }
  return undefined;
}
