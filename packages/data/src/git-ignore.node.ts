/** Which files git ignores: `.gitignore` of every folder from the repository's root down, and `.git/info/exclude`. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

interface Level {
  readonly folder: string;
  readonly rules: Ignore;
}

/** The rules that hold inside one folder. Deeper rules overrule shallower ones, as in git. */
export class GitIgnore {
  /** From the shallowest. */
  readonly #levels: readonly Level[];

  private constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  /**
   * The rules of the folders above `folder`, if it lies in a repository; its own come with `enter`.
   *
   * None where those rules ignore `folder` itself: a folder that somebody names is meant to be read.
   */
  static async above(folder: string): Promise<GitIgnore> {
    const root = await repositoryOf(folder);
    if (root === undefined || root === folder) return new GitIgnore([]);
    let rules = await new GitIgnore([]).enter(root);
    const names = relative(root, folder).split(sep);
    for (let depth = 1; depth < names.length; depth++) rules = await rules.enter(join(root, ...names.slice(0, depth)));
    return rules.ignores(folder, true) ? new GitIgnore([]) : rules;
  }

  /** These rules and those in `folder` itself. */
  async enter(folder: string): Promise<GitIgnore> {
    const texts = await Promise.all(
      [join(folder, '.git', 'info', 'exclude'), join(folder, '.gitignore')].map((path) =>
        readFile(path, 'utf8').catch(() => ''),
      ),
    );
    if (texts.every((text) => text === '')) return this;
    return new GitIgnore([...this.#levels, { folder, rules: ignore({ ignorecase: false }).add(texts.join('\n')) }]);
  }

  /** Whether `path`, absolute and inside every folder entered, is ignored. */
  ignores(path: string, isFolder: boolean): boolean {
    for (const { folder, rules } of this.#levels.toReversed()) {
      const name = relative(folder, path).split(sep).join('/');
      const { ignored, unignored } = rules.test(isFolder ? `${name}/` : name);
      if (ignored || unignored) return ignored;
    }
    return false;
  }
}

/** The nearest folder at or above `folder` that holds `.git`, or `undefined`. */
export async function repositoryOf(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    if (await stat(join(at, '.git')).catch(() => undefined)) return at;
    if (dirname(at) === at) return undefined;
  }
}
