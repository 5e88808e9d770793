/** Every link between the repository's pages leads somewhere: the file is there, and so is the heading that it names. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT })
  .toString()
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)));

/** Pages that a command writes and that may not be there yet. */
const WRITTEN_BY_COMMANDS: ReadonlySet<string> = new Set(['docs/results/planted-bugs.md']);

test('every relative link and every anchor resolves', () => {
  assert.ok(PAGES.length > 20, 'the pages are found');
  const broken = PAGES.flatMap((page) =>
    linksOf(prose(page)).flatMap((link) => (leads(page, link) ? [] : [`${page}: ${link}`])),
  );
  assert.deepEqual(broken, []);
});

test('headings become anchors as GitHub makes them', () => {
  assert.deepEqual(anchorsOf('# One *wrong* operator\ntext\n## `native`: 1.3 × PyTorch\n## Same\n## Same'), [
    'one-wrong-operator',
    'native-13--pytorch',
    'same',
    'same-1',
  ]);
  assert.deepEqual(linksOf('[a](b.md#c) ![d](e.svg) <https://x.example> [f](https://y.example)'), ['b.md#c', 'e.svg']);
});

function leads(page: string, link: string): boolean {
  const [path, anchor] = link.split('#', 2) as [string, string | undefined];
  const target = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
  if (WRITTEN_BY_COMMANDS.has(target)) return true;
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(prose(target)).includes(anchor);
}

/** A page without its blocks of code, whose brackets are no links and whose `#` are no headings. */
function prose(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replace(/^```.*?^```/gms, '');
}

function linksOf(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading]) => {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
