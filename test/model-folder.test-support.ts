/** Reads and files the weights of a folder, for its peak memory: node model-folder.test-support.ts FOLDER. Prints bytes. */
import { join } from 'node:path';
import { openDiskStore } from '@folkmoot/store';
import { openModelFolder } from '../apps/cli/src/run/model-folder.ts';

const folder = process.argv[2]!;
const opened = await openModelFolder(folder);
const store = await openDiskStore({ path: join(folder, 'store') });
const peak = () => process.resourceUsage().maxRSS * 1024;
const beforeBytes = peak();
const id = await opened.baseId();
await opened.fileBase(store, id);
console.log(JSON.stringify({ beforeBytes, peakBytes: peak(), id }));
