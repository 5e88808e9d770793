/**
 * The table of planted bugs, as Markdown. The page is the memory of a long run too: rows are merged into it one by one, and each
 * says of which source it is, so that a run that was stopped goes on and what is old can be seen.
 */
import type { PlantedBug } from './bug.ts';
import type { Catch } from './plant.ts';

/** A row as the page has it. */
interface Row {
  readonly by: string;
  readonly when: string;
  readonly seconds: string;
  /** `stateOf` the bug when it was run. */
  readonly state: string;
}

const NOBODY = '**nobody**';

/** Those of `bugs` that `page` has no row of, noticed by somebody, of this very state of the source. */
export function notYetNoticed(page: string, bugs: readonly PlantedBug[], stateOf: StateOf): PlantedBug[] {
  const rows = rowsOf(page);
  return bugs.filter((bug) => {
    const row = rows.get(bug.name);
    return row === undefined || row.by === NOBODY || row.state !== stateOf(bug);
  });
}

/** The names that have no row of somebody who noticed. */
export function missingRows(page: string, bugs: readonly PlantedBug[]): string[] {
  const rows = rowsOf(page);
  return bugs.map(({ name }) => name).filter((name) => (rows.get(name)?.by ?? NOBODY) === NOBODY);
}

/** What names the source that a bug was planted in: the tree, a dash, the bug. */
export type StateOf = (bug: PlantedBug) => string;

/** `page` with the rows of `caught` in it, and without those of bugs that are no more. `bugs`: all, in the table's order. */
export function plantedTable(
  page: string,
  caught: readonly Catch[],
  bugs: readonly PlantedBug[],
  stateOf: StateOf,
): string {
  const rows = rowsOf(page);
  for (const found of caught) rows.set(found.bug.name, rowOf(found, stateOf(found.bug)));
  const known = bugs.flatMap((bug) => {
    const row = rows.get(bug.name);
    return row ? [{ bug, row, isOld: treeOf(row.state) !== treeOf(stateOf(bug)) }] : [];
  });
  const noticed = known.filter(({ row }) => row.by !== NOBODY).length;
  const old = known.filter(({ isOld }) => isOld).length;
  const tree = bugs[0] && treeOf(stateOf(bugs[0]));
  const absent = bugs.filter(({ name }) => !rows.has(name)).map(({ name }) => `\`${name}\``);
  return [
    ...HEAD,
    `${noticed} of ${bugs.length} were noticed. Time is processor time (for tests: elapsed), on a busy machine, worlds without the bug included.`,
    ...(absent.length > 0 ? ['', `Not run yet: ${absent.join(', ')}.`] : []),
    ...(old > 0
      ? [
          '',
          `Rows with ° (${old}) were run on another state of \`packages/\` than the others, which are of \`${tree}\`.`,
        ]
      : []),
    '',
    '| bug | area | where | what goes wrong | noticed by | seed | s | source |',
    '|---|---|---|---|---|---|---|---|',
    ...known.map(({ bug, row, isOld }) => lineOf(bug, row, isOld)),
    '',
  ].join('\n');
}

const HEAD = [
  '# Planted bugs',
  '',
  'Each of these bugs was planted alone, in a copy of the source in memory, and the worlds of `packages/sim/src/world/worlds.test.ts`',
  'were run from seed 0 on until a checker spoke (where a bug needs a certain evil, such as a full disk, only worlds that have it: `aims.ts`); bugs in the adapters were given to the contract that simulated and real ones share,',
  'and bugs that need a liar who is in no world to the tests that have it (a test that fails without the bug as well has noticed nothing). `./folkmoot sim --plant all` does it again and writes this page, row by row: stopped, it goes on where it was, and runs what has no row of the present source.',
  '`--plant NAME… --table` runs some anew. The last column names the source: the tree of `packages/`, and the bug. A test plants a handful at every commit, and checks that',
  'all still fit and that each has a row here.',
  '',
];

function rowOf({ by, seed, worlds, cpuSeconds }: Catch, state: string): Row {
  return {
    // A test's name may have bars in it, which would be cells.
    by: by?.replaceAll('|', '\\|') ?? NOBODY,
    when: seed === undefined ? '' : `${seed} (world ${worlds})`,
    seconds: cpuSeconds.toFixed(1),
    state,
  };
}

function lineOf({ name, area, about, file }: PlantedBug, { by, when, seconds, state }: Row, isOld: boolean): string {
  const where = file.replace(/^packages\//, '');
  return `| \`${name}\`${isOld ? ' °' : ''} | ${area} | \`${where}\` | ${about} | ${by} | ${when} | ${seconds} | ${state} |`;
}

function rowsOf(page: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of page.split('\n')) {
    const cells = line.split(' | ');
    const name = /^\| `([a-z0-9-]+)`/.exec(line)?.[1];
    if (name === undefined || cells.length < 7) continue;
    const [by, when, seconds, state] = cells.slice(4).map((cell) => cell.replace(/ ?\|$/, ''));
    rows.set(name, { by: by!, when: when!, seconds: seconds!, state: state ?? '' });
  }
  return rows;
}

const treeOf = (state: string) => state.split('-')[0];
