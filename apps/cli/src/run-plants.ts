/** Planted bugs for a person: each in a process of its own, with who noticed it, and the table of all. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { type Catch, PLANTED_BUGS, type PlantedBug, plant, plantedTable } from '@folkmoot/sim/planted';
import type { Invocation } from './invocation.ts';
import { projectRoot } from './project.ts';

/** Worlds in which a bug may hide: as many as every commit runs. */
const SEEDS = 200;
const TABLE = 'docs/results/planted-bugs.md';

export async function runPlants(call: Invocation, name: string): Promise<void> {
  if (name === 'list') {
    for (const { name, area, about, file } of PLANTED_BUGS) {
      call.object({ name, area, about, file });
      call.say(`${name.padEnd(30)}${area.padEnd(14)}${about}`);
    }
    return;
  }
  const signal = call.stopSignal();
  const caught: Catch[] = [];
  for (const bug of chosen(name)) {
    signal.throwIfAborted();
    const found = await plant(bug, { count: SEEDS });
    caught.push(found);
    const { by, seed, cpuSeconds, message } = found;
    call.object({ bug: bug.name, by, seed, cpuSeconds, message });
    call.say(
      `${bug.name.padEnd(30)}${by ?? 'NOBODY'}${seed === undefined ? '' : ` at seed ${seed}`}, ${cpuSeconds.toFixed(1)} s: ${message}`,
    );
  }
  if (name === 'all') await writeFile(join(projectRoot, TABLE), plantedTable(caught));
  if (name === 'all') call.say(`table: ${TABLE}`);
  const missed = caught.filter(({ by }) => by === undefined).map(({ bug }) => bug.name);
  if (missed.length > 0)
    throw new WorldError('bugs-unnoticed', `Nobody noticed ${missed.join(', ')}.`, {
      help: 'A checker or a nemesis is missing: add it to packages/sim/src.',
    });
}

function chosen(name: string): readonly PlantedBug[] {
  const bugs = PLANTED_BUGS.filter((bug) => name === 'all' || bug.name === name || bug.area === name);
  if (bugs.length > 0) return bugs;
  throw new WorldError('no-such-bug', `No bug is called "${name}".`, {
    help: 'Give a name from `sim --plant list`, an area (protocol, verification, ledger, store, network) or "all".',
  });
}
