/** For `log.ts`: node --expose-gc open-log.ts HOME. Opens the log there as a member does, and prints what it took. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Keepsakes, Log } from '@folkmoot/node';
import type { Charter } from '@folkmoot/records';
import { openCells, openJournal } from '@folkmoot/store';
import type { LogStart } from './log.ts';

const home = process.argv[2]!;
const charter = JSON.parse(await readFile(join(home, 'charter.json'), 'utf8')) as Charter;
globalThis.gc?.();
const before = process.memoryUsage().rss;
const start = process.cpuUsage();
const cells = await openCells(join(home, 'cells'));
const log = await Log.open(charter, await openJournal(join(home, 'log.jsonl')), cells);
const keepsakes = new Keepsakes([]);
await keepsakes.open(cells, log);
const { user, system } = process.cpuUsage(start);
globalThis.gc?.();
const residentBytes = process.memoryUsage().rss - before;
const figures: LogStart = {
  cpuMs: (user + system) / 1000,
  residentBytes,
  heldEntries: log.length - log.heldFrom,
};
process.stdout.write(JSON.stringify(figures));
await log.close();
