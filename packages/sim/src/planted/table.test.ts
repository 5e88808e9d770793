/** The table of planted bugs: rows are merged, what is old is marked, and a run that was stopped knows what is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlantedBug } from './bug.ts';
import type { Catch } from './plant.ts';
import { missingRows, notYetNoticed, plantedTable } from './table.ts';

const bug = (name: string): PlantedBug => ({
  ...{ name, area: 'ledger', about: `what ${name} does`, file: `packages/ledger/src/${name}.ts` },
  ...{ find: 'a', put: 'b' },
});
const BUGS = ['first', 'second', 'third'].map(bug);
const [one, two, three] = BUGS as [PlantedBug, PlantedBug, PlantedBug];
const noticed = (bug: PlantedBug, seed?: string): Catch => ({
  ...{ bug, worlds: 3, cpuSeconds: 1.25, message: 'seen' },
  ...(seed === undefined ? { by: 'test “a | b”' } : { by: 'I6 credits', seed }),
});
const unnoticed = (bug: PlantedBug): Catch => ({ ...noticed(bug), by: undefined });
const at =
  (tree: string, own: Record<string, string> = {}) =>
  ({ name }: PlantedBug) =>
    `${tree}-${own[name] ?? name.slice(0, 4)}`;

test('rows are merged in the order of the list, and what was not run is named', () => {
  const first = plantedTable('', [noticed(two, '7')], BUGS, at('aaaa'));
  assert.match(first, /^1 of 3 were noticed\./m);
  assert.match(first, /^Not run yet: `first`, `third`\.$/m);
  const row =
    '| `second` | ledger | `ledger/src/second.ts` | what second does | I6 credits | 7 (world 3) | 1.3 | aaaa-seco |';
  assert.ok(first.split('\n').includes(row), first);
  const all = plantedTable(first, [noticed(three), noticed(one, '0')], BUGS, at('aaaa'));
  assert.match(all, /^3 of 3 were noticed\./m);
  assert.ok(!all.includes('Not run yet') && !all.includes('°'));
  assert.deepEqual(namesIn(all), ['first', 'second', 'third']);
  // Written again with nothing new, it is the same page.
  assert.equal(plantedTable(all, [], BUGS, at('aaaa')), all);
});

test('rows of another source are marked; rows of bugs that are no more go', () => {
  const before = plantedTable('', [noticed(one, '0'), noticed(two, '1')], [...BUGS, bug('former')], at('aaaa'));
  const after = plantedTable(before, [noticed(three, '2')], [one, three], at('bbbb'));
  assert.match(after, /^Rows with ° \(1\) /m);
  assert.match(after, /^\| `first` ° \| /m);
  assert.match(after, /^\| `third` \| /m);
  assert.deepEqual(namesIn(after), ['first', 'third']);
});

test('due is what has no row, no witness, another source or another bug in it', () => {
  const page = plantedTable('', [noticed(one, '0'), unnoticed(two)], BUGS, at('aaaa'));
  assert.match(page, /\*\*nobody\*\*/);
  assert.deepEqual(notYetNoticed(page, BUGS, at('aaaa')), [two, three]);
  assert.deepEqual(notYetNoticed(page, BUGS, at('bbbb')), BUGS);
  assert.deepEqual(notYetNoticed(page, BUGS, at('aaaa', { first: 'else' })), BUGS);
  assert.deepEqual(missingRows(page, BUGS), ['second', 'third']);
});

function namesIn(page: string): string[] {
  return [...page.matchAll(/^\| `([a-z]+)`/gm)].map(([, name]) => name!);
}
