import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Journal } from '@folkmoot/core';
import { testStoreContract } from '@folkmoot/sim/store-contract';
import { openCells } from './cells.ts';
import { openDiskStore } from './disk-store.ts';
import { openJournal } from './journal.ts';

testStoreContract('disk', async () => {
  const home = await mkdtemp(join(tmpdir(), 'folkmoot-store-'));
  const journals: Journal[] = [];
  return {
    async open(options) {
      const journal = await openJournal(join(home, 'log'));
      journals.push(journal);
      return {
        store: await openDiskStore({ path: join(home, 'store'), ...options }),
        cells: await openCells(join(home, 'cells')),
        journal,
      };
    },
    async corrupt(id) {
      const path = join(home, 'store', 'objects', id.slice(0, 2), id.slice(2));
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 4;
      await writeFile(path, bytes);
    },
    tearJournal: () => appendFile(join(home, 'log'), '{"torn":'),
    run: (task) => task,
    async close() {
      for (const journal of journals) await journal.close();
      await rm(home, { recursive: true });
    },
  };
});
