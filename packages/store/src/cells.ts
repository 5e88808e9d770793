/** Small named values, one file each. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, type Cells } from '@folkmoot/core';
import { ifThere, onDisk, writeAtomically } from './files.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,99}$/;

/** Opens the cells in the folder `path`, made where it is not there. Names: lower-case letters, digits, `.` and `-`. */
export async function openCells(path: string): Promise<Cells> {
  const temporaryDir = join(path, '.temporary');
  await onDisk(path, 0, async () => {
    await rm(temporaryDir, { recursive: true, force: true });
    await mkdir(temporaryDir, { recursive: true });
  });
  const fileOf = (name: string) => {
    assert(NAME.test(name), `${name} names a cell`);
    return join(path, name);
  };
  // Writes to one cell keep their order: the last one called is the one that stays.
  const last = new Map<string, Promise<void>>();
  return {
    async read(name) {
      const bytes = await ifThere(readFile(fileOf(name)));
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    write(name, bytes) {
      const copy = bytes.slice();
      const path = fileOf(name);
      const write = () => writeAtomically(temporaryDir, path, copy);
      const done = (last.get(name) ?? Promise.resolve()).then(write);
      last.set(
        name,
        done.catch(() => {}),
      );
      return done;
    },
  };
}
