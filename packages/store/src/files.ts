/** Files that are there whole or not at all, and the disk's troubles as coded errors. */
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFull, WorldError } from '@folkmoot/core';

/** File too large counts as full: a quota by another name. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);

let temporaryCount = 0;

/**
 * Writes `bytes` to `path` through a file in `temporaryDir` (same file system): after a crash at any moment `path`
 * holds the old bytes or the new ones, and what resolved is on the disk. Throws `disk-full` or `disk-denied`.
 */
export async function writeAtomically(temporaryDir: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(temporaryDir, `${process.pid}-${temporaryCount++}`);
  try {
    await onDisk(path, bytes.length, async () => {
      const file = await open(temporary, 'wx');
      try {
        await writeFully(file, bytes, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await moveDurably(temporary, path);
    });
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Renames, and has the name on the disk when it resolves. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const dir = await open(dirname(to), 'r');
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Fills `into` from `position`; returns the bytes read, fewer at the end of the file. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

/** Runs `work`, which writes `neededBytes` to `path`, and gives its failures their codes. */
export async function onDisk<T>(path: string, neededBytes: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errnoOf(error);
    if (FULL.has(code)) throw diskFull(path, neededBytes, await freeBytes(dirname(path)), error);
    if (DENIED.has(code))
      throw new WorldError('disk-denied', `The system does not let this program write to ${path}.`, {
        facts: { path, errno: code },
        help: 'Check the owner and the permissions of that folder, or choose another with FOLKMOOT_HOME.',
        cause: error,
      });
    throw error;
  }
}

/** The system's name of a failure, such as `ENOENT`; empty for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** `undefined` where `work` fails because a file is not there. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return -1;
  }
}
