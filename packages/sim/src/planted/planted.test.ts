/** Every planted bug still fits its source, and a few are planted here; all of them: `./folkmoot sim --plant all`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { rotating } from '../rotation.test-support.ts';
import { AIMS } from './aims.ts';
import { missingRows, PLANTED_BUGS } from './index.ts';
import { plant } from './plant.ts';
import { planted } from './planted.ts';

/** One of each area, cheap to notice. */
const HANDFUL = [
  'headers-of-other-logs',
  'one-round-counts-twice',
  'auditor-starts-anew',
  'paid-by-the-step',
  'trace-not-kept',
  'everything-is-appended',
];
/** At most: whatever changes in a member deals all worlds anew. */
const SEEDS = 60;

test('every planted bug fits one place of its source, and has a name of its own', () => {
  const names = PLANTED_BUGS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 30);
  for (const bug of PLANTED_BUGS) {
    const source = readFileSync(new URL(`../../../../${bug.file}`, import.meta.url), 'utf8');
    assert.notEqual(planted(bug, source), source);
  }
});

test('what is aimed at is a bug', () => {
  const names = PLANTED_BUGS.map(({ name }) => name);
  assert.deepEqual(
    Object.keys(AIMS).filter((name) => !names.includes(name)),
    [],
  );
});

test('every planted bug has a row in the table, noticed by somebody: `./folkmoot sim --plant NAME --table` writes it', () => {
  const page = readFileSync(new URL('../../../../docs/results/planted-bugs.md', import.meta.url), 'utf8');
  assert.deepEqual(missingRows(page, PLANTED_BUGS), []);
});

test('a bug that fits nowhere is not planted', () => {
  const [bug] = PLANTED_BUGS;
  assert.throws(() => planted(bug!, 'another source'), /fits 0 places/);
});

/** The unit tests that notice a bug are quick, whichever it is; one of another area at each commit. */
const QUICK = /packages\/(protocol|records|node)\//;
const DRAWN = rotating(
  PLANTED_BUGS.filter(({ by }) => by !== undefined && QUICK.test(by)),
  2,
);

for (const name of [...HANDFUL, ...DRAWN.map(({ name }) => name)])
  test(`${name} is noticed`, async () => {
    const found = await plant(PLANTED_BUGS.find((bug) => bug.name === name)!, { count: SEEDS });
    assert.notEqual(found.by, undefined, found.message);
  });
