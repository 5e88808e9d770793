/** The table of planted bugs, as Markdown. */
import type { Catch } from './plant.ts';

export function plantedTable(caught: readonly Catch[]): string {
  const noticed = caught.filter(({ by }) => by !== undefined);
  const rows = caught.map(({ bug, by, seed, worlds, cpuSeconds }) => {
    const where = bug.file.replace(/^packages\//, '');
    const when = seed === undefined ? '' : `${seed} (world ${worlds})`;
    return `| \`${bug.name}\` | ${bug.area} | \`${where}\` | ${bug.about} | ${by ?? '**nobody**'} | ${when} | ${cpuSeconds.toFixed(1)} |`;
  });
  return [
    '# Planted bugs',
    '',
    'Each of these bugs was planted alone, in a copy of the source in memory, and the worlds of `packages/sim/src/world/worlds.test.ts`',
    'were run from seed 0 on until a checker spoke (where a bug needs a certain evil, such as a full disk, only worlds that have it: `aims.ts`); bugs in the adapters were given to the contract that simulated and real ones share,',
    'and bugs that need a liar who is in no world to the tests that have it. `./folkmoot sim --plant all` does it again and writes this page; a test plants a handful at every commit and checks that',
    'all still fit.',
    '',
    `${noticed.length} of ${caught.length} were noticed. Time is processor time (for tests: elapsed), on a busy machine, worlds without the bug included.`,
    '',
    '| bug | area | where | what goes wrong | noticed by | seed | s |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
