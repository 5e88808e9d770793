/** A store on disk that another process may own: read as it stands, with a store of one's own above it. */
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  artifactCorrupt,
  artifactMissing,
  assert,
  type Hash,
  type Incoming,
  isHash,
  type Store,
  sha256,
} from '@folkmoot/core';
import { ifThere, readFully } from './files.ts';

/**
 * Reads the artifacts of the store in `path` and changes nothing there: what is put or arrives goes to `above`.
 *
 * An artifact that is damaged below counts as absent from then on, so that it is fetched again.
 */
export class ReadingStore implements Store {
  readonly #path: string;
  readonly #above: Store;
  /** Ids whose bytes below do not have their hash. */
  readonly damaged = new Set<Hash>();

  constructor(path: string, above: Store) {
    this.#path = path;
    this.#above = above;
  }

  put(bytes: Uint8Array): Promise<Hash> {
    return this.#above.put(bytes);
  }

  async get(id: Hash): Promise<Uint8Array> {
    if ((await this.#above.size(id)) !== undefined) return this.#above.get(id);
    const bytes = this.damaged.has(id) ? undefined : await ifThere(readFile(this.#objectPath(id)));
    if (!bytes) throw artifactMissing(id);
    if (sha256(bytes) === id) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.damaged.add(id);
    throw artifactCorrupt(id, this.#objectPath(id));
  }

  async size(id: Hash): Promise<number | undefined> {
    const above = await this.#above.size(id);
    if (above !== undefined || this.damaged.has(id)) return above;
    return (await ifThere(stat(this.#objectPath(id))))?.size;
  }

  async read(id: Hash, offset: number, length: number): Promise<Uint8Array> {
    if ((await this.#above.size(id)) !== undefined) return this.#above.read(id, offset, length);
    const file = this.damaged.has(id) ? undefined : await ifThere(open(this.#objectPath(id), 'r'));
    if (!file) throw artifactMissing(id);
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      return bytes.subarray(0, await readFully(file, bytes, offset));
    } finally {
      await file.close();
    }
  }

  receive(id: Hash, sizeBytes: number): Promise<Incoming> {
    return this.#above.receive(id, sizeBytes);
  }

  /** Of the store above: what was put or fetched here. */
  ids(): AsyncIterable<Hash> {
    return this.#above.ids();
  }

  collect(keep: ReadonlySet<Hash>): Promise<number> {
    return this.#above.collect(keep);
  }

  #objectPath(id: Hash): string {
    assert(isHash(id), 'an artifact is named by its hash');
    return join(this.#path, 'objects', id.slice(0, 2), id.slice(2));
  }
}
