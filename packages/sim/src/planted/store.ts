/** Bugs in what is kept: by the member, and by the disk's adapter. */
import type { PlantedBug } from './bug.ts';

const bug = (
  name: string,
  about: string,
  file: string,
  find: string,
  put: string,
  by: PlantedBug['by'] = 'worlds',
): PlantedBug => ({ name, area: 'store', about, file: `packages/${file}`, find, put, by });

const CONTRACT = 'packages/store/src/store.test.ts';

export const STORE_BUGS: readonly PlantedBug[] = [
  bug(
    'shown-before-kept',
    'an entry is shown to others before it is on disk',
    'node/src/log.ts',
    '    await flushed;\n    // Taken back',
    '    void flushed.catch(() => {});\n    // Taken back',
    'packages/node/src/log-telling.test.ts',
  ),
  bug(
    'log-reopened-short',
    'the last line of a reopened log is not applied',
    'node/src/log.ts',
    '      if (index > known) {',
    '      if (index > known && index < this.#journal.count - 1) {',
  ),
  bug(
    'snapshot-of-another-time',
    'a snapshot is taken whatever the journal says',
    'node/src/kept-states.ts',
    '  const line = await lineAt(journal, index!);',
    '  if (kept) return kept as KeptState;\n  const line = await lineAt(journal, index!);',
  ),
  bug(
    'states-dropped-early',
    'states that an audit may ask for are thrown away',
    'node/src/roles.ts',
    '...(await this.trainer.openable()), ',
    '',
  ),
  bug(
    'updates-dropped',
    'updates and bases are thrown away',
    'node/src/upkeep.ts',
    'await bench.artifacts.collect([...keepsakes.ids, ...mine]);',
    'await bench.artifacts.collect(mine);',
  ),
  bug(
    'loss-is-not-told',
    'a member whose carried state is gone does not say so',
    'node/src/roles.ts',
    'const reset = (await store.size(carry.moments)) === undefined || (await store.size(carry.error)) === undefined;',
    'const reset = (await store.size(carry.moments)) === undefined && (await store.size(carry.error)) === null;',
  ),
  bug(
    'trace-not-kept',
    'a trainer’s secrets do not survive a crash',
    'node/src/trainer.ts',
    'await cells.write(cellOf(duty.round), canonicalBytes(kept as unknown as Canonical));',
    '',
  ),
  bug(
    'damaged-bytes-are-given',
    'an artifact is not hashed when it is read from disk',
    'store/src/disk-store.ts',
    'if (sha256(bytes) === id) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);',
    'return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);',
    CONTRACT,
  ),
  bug(
    'wrong-bytes-are-filed',
    'what arrived is filed under the announced name whatever it is',
    'store/src/disk-incoming.ts',
    'const isRight = (await this.#hash()) === this.#id;',
    'const isRight = (await this.#hash()).length === this.#id.length;',
    CONTRACT,
  ),
  bug(
    'torn-line-stays',
    'half a line at the journal’s end is not cut off',
    'store/src/journal.ts',
    'const wholeBytes = await endOfLastLine(file, size);',
    'const wholeBytes = (await endOfLastLine(file, size)) < 0 ? 0 : size;',
    CONTRACT,
  ),
  bug(
    'transfer-begins-anew',
    'a transfer does not go on where it stopped',
    'store/src/disk-store.ts',
    'const offset = heldBytes > sizeBytes ? 0 : heldBytes;',
    'const offset = 0;',
    CONTRACT,
  ),
  bug(
    'kept-are-collected',
    'collecting throws away what it was to keep',
    'store/src/disk-store.ts',
    'if (keep.has(id) || filedMeanwhile.has(id)',
    'if (filedMeanwhile.has(id)',
    CONTRACT,
  ),
];
