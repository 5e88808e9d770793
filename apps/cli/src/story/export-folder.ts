/** Folders that files are written to: made where they are not there, never mixed with what is in them. */
import { mkdir, readdir } from 'node:fs/promises';
import { WorldError } from '@folkmoot/core';

/** Throws `folder-not-empty` unless `force`, and `folder-unusable`. */
export async function prepareFolder(path: string, force: boolean): Promise<void> {
  const names = await mkdir(path, { recursive: true })
    .then(() => readdir(path))
    .catch((cause: Error) => {
      throw new WorldError('folder-unusable', 'This folder cannot be written.', {
        facts: { folder: path, found: cause.message },
        help: 'Give another folder.',
        cause,
      });
    });
  if (names.length === 0 || force) return;
  throw new WorldError('folder-not-empty', 'There is something in this folder already.', {
    facts: { folder: path, files: names.slice(0, 5).join(', ') },
    help: 'Give a new folder, or replace files of the same name with --force.',
  });
}
