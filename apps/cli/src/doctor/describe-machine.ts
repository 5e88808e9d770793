/** The machine under this process. */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import os from 'node:os';
import { dirname } from 'node:path';
import { availableMemory } from '../memory/available-memory.ts';
import type { MachineDescription } from './examination.ts';

export async function describeMachine(home: string): Promise<MachineDescription> {
  const place = await nearestThatExists(home);
  const disk = await statfs(place).catch(() => undefined);
  const limit = process.constrainedMemory();
  const total = os.totalmem();
  return {
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    processor: os.cpus()[0]?.model.trim() || 'unknown',
    cores: os.availableParallelism(),
    load: os.loadavg()[0]!,
    // A container's limit; some systems answer with a number beyond all memory where there is none.
    memoryBytes: limit > 0 && limit < total ? limit : total,
    availableBytes: await availableMemory(),
    home,
    diskFreeBytes: disk && disk.bavail * disk.bsize,
    homeWritable: await access(place, constants.W_OK).then(
      () => true,
      () => false,
    ),
  };
}

/** The home is made by the first command that needs it. */
async function nearestThatExists(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : nearestThatExists(dirname(path));
}
