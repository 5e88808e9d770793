/** Artifacts as files: `objects/ab/cdef…` named by their sha-256, `incoming/` half-way, `corrupt/` set aside. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  artifactCorrupt,
  artifactMissing,
  assert,
  equalBytes,
  type Hash,
  type Incoming,
  isHash,
  type Store,
  sha256,
  storeFull,
  WorldError,
} from '@folkmoot/core';
import { DiskIncoming } from './disk-incoming.ts';
import { ifThere, moveDurably, onDisk, readFully, writeAtomically } from './files.ts';

export interface DiskStoreOptions {
  /** The store's own folder; made where it is not there. One process at a time (see `lockHome`). */
  readonly path: string;
  /** Most bytes of artifacts, whole and arriving. Default: no limit but the disk. */
  readonly maxBytes?: number;
}

/** Opens the store at `path`; what a crash left half-written is removed, what was arriving is kept. */
export async function openDiskStore(options: DiskStoreOptions): Promise<DiskStore> {
  const { path } = options;
  await onDisk(path, 0, async () => {
    await rm(join(path, 'temporary'), { recursive: true, force: true });
    for (const name of ['objects', 'incoming', 'corrupt', 'temporary'])
      await mkdir(join(path, name), { recursive: true });
  });
  let usedBytes = 0;
  for await (const file of files(path)) usedBytes += file.sizeBytes;
  return new DiskStore(path, options.maxBytes ?? Number.POSITIVE_INFINITY, usedBytes);
}

/** A content-addressed store in a folder. Make it with `openDiskStore`. */
export class DiskStore implements Store {
  readonly #path: string;
  readonly #maxBytes: number;
  /** Whole artifacts, and the announced sizes of those that are arriving. */
  #usedBytes: number;
  readonly #putting = new Map<Hash, Promise<void>>();
  readonly #arriving = new Set<Hash>();
  /** What was filed while a collection runs: its caller could not name it. */
  #filedMeanwhile: Set<Hash> | undefined;

  constructor(path: string, maxBytes: number, usedBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#usedBytes = usedBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  async put(bytes: Uint8Array): Promise<Hash> {
    const id = sha256(bytes);
    this.#filedMeanwhile?.add(id);
    const underWay = this.#putting.get(id);
    if (underWay) {
      await underWay;
      return id;
    }
    const work = this.#file(id, bytes);
    this.#putting.set(id, work);
    try {
      await work;
    } finally {
      this.#putting.delete(id);
    }
    return id;
  }

  async get(id: Hash): Promise<Uint8Array> {
    const bytes = await ifThere(readFile(this.#objectPath(id)));
    if (!bytes) throw artifactMissing(id);
    if (sha256(bytes) === id) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const keptAt = join(this.#path, 'corrupt', id);
    await rename(this.#objectPath(id), keptAt);
    this.#usedBytes -= bytes.length;
    throw artifactCorrupt(id, keptAt);
  }

  async size(id: Hash): Promise<number | undefined> {
    return (await ifThere(stat(this.#objectPath(id))))?.size;
  }

  async read(id: Hash, offset: number, length: number): Promise<Uint8Array> {
    const file = await ifThere(open(this.#objectPath(id), 'r'));
    if (!file) throw artifactMissing(id);
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      return bytes.subarray(0, await readFully(file, bytes, offset));
    } finally {
      await file.close();
    }
  }

  async receive(id: Hash, sizeBytes: number): Promise<Incoming> {
    assert(isHash(id), 'an artifact is named by its hash');
    if (this.#arriving.has(id))
      throw new WorldError('artifact-arriving', 'This artifact is being received already.', {
        facts: { artifact: id },
        help: 'Wait for the other transfer.',
      });
    this.#arriving.add(id);
    try {
      if ((await this.size(id)) === sizeBytes) return this.#arrivedBefore(id, sizeBytes);
      return await this.#openIncoming(id, sizeBytes);
    } catch (error) {
      this.#arriving.delete(id);
      throw error;
    }
  }

  async *ids(): AsyncIterable<Hash> {
    for await (const { folder, id } of files(this.#path)) if (folder === 'objects') yield id;
  }

  async collect(keep: ReadonlySet<Hash>): Promise<number> {
    const filedMeanwhile = new Set<Hash>();
    this.#filedMeanwhile = filedMeanwhile;
    let freedBytes = 0;
    try {
      for await (const { path, id } of names(this.#path)) {
        if (keep.has(id) || filedMeanwhile.has(id) || this.#putting.has(id) || this.#arriving.has(id)) continue;
        const found = await ifThere(stat(path));
        await rm(path, { force: true });
        freedBytes += found?.size ?? 0;
      }
      for (const id of await readdir(join(this.#path, 'corrupt')))
        if (!keep.has(id)) await rm(join(this.#path, 'corrupt', id), { force: true });
    } finally {
      this.#filedMeanwhile = undefined;
      this.#usedBytes -= freedBytes;
    }
    return freedBytes;
  }

  async #file(id: Hash, bytes: Uint8Array): Promise<void> {
    const path = this.#objectPath(id);
    // Read, not only looked for: storing an artifact again is how a damaged one is mended.
    const held = await ifThere(readFile(path));
    if (held && equalBytes(held, bytes)) return;
    await this.#reserving(bytes.length - (held?.length ?? 0), async () => {
      await mkdir(join(path, '..'), { recursive: true });
      await writeAtomically(join(this.#path, 'temporary'), path, bytes);
    });
  }

  async #openIncoming(id: Hash, sizeBytes: number): Promise<Incoming> {
    const path = join(this.#path, 'incoming', id);
    const heldBytes = (await ifThere(stat(path)))?.size ?? 0;
    // More bytes than announced: a former attempt was told another size, so one of the two peers lies. Begin anew.
    const offset = heldBytes > sizeBytes ? 0 : heldBytes;
    return this.#reserving(sizeBytes - heldBytes, async () => {
      const file = await onDisk(path, sizeBytes, () => open(path, heldBytes === 0 ? 'w+' : 'r+'));
      if (offset !== heldBytes) await file.truncate(0);
      return new DiskIncoming(file, path, id, sizeBytes, offset, {
        file: () => this.#fileIncoming(id, path),
        close: (keptBytes) => {
          this.#usedBytes -= sizeBytes - keptBytes;
          this.#arriving.delete(id);
        },
      });
    });
  }

  async #fileIncoming(id: Hash, path: string): Promise<void> {
    this.#filedMeanwhile?.add(id);
    const target = this.#objectPath(id);
    const replacedBytes = (await this.size(id)) ?? 0;
    await mkdir(join(target, '..'), { recursive: true });
    await moveDurably(path, target);
    this.#usedBytes -= replacedBytes;
  }

  #arrivedBefore(id: Hash, sizeBytes: number): Incoming {
    this.#filedMeanwhile?.add(id);
    const close = async () => {
      this.#arriving.delete(id);
    };
    return {
      offset: sizeBytes,
      append: async (chunk) => assert(chunk.length === 0, 'the artifact is whole'),
      finish: async () => {
        await close();
        return true;
      },
      pause: close,
    };
  }

  async #reserving<T>(sizeBytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#usedBytes + sizeBytes > this.#maxBytes) throw storeFull(sizeBytes, this.#usedBytes, this.#maxBytes);
    this.#usedBytes += sizeBytes;
    try {
      return await work();
    } catch (error) {
      this.#usedBytes -= sizeBytes;
      throw error;
    }
  }

  #objectPath(id: Hash): string {
    assert(isHash(id), 'an artifact is named by its hash');
    return join(this.#path, 'objects', id.slice(0, 2), id.slice(2));
  }
}

interface Named {
  readonly folder: 'objects' | 'incoming';
  readonly path: string;
  readonly id: Hash;
}

/** Artifacts on disk, whole and arriving, with their sizes. */
async function* files(root: string): AsyncIterable<Named & { sizeBytes: number }> {
  for await (const named of names(root)) {
    const found = await ifThere(stat(named.path));
    if (found) yield { ...named, sizeBytes: found.size };
  }
}

/** By name alone: to look at each file costs far more. Files of other names are not ours and are left alone. */
async function* names(root: string): AsyncIterable<Named> {
  for (const prefix of (await readdir(join(root, 'objects'))).sort())
    for (const name of (await readdir(join(root, 'objects', prefix))).sort())
      if (isHash(prefix + name))
        yield { folder: 'objects', path: join(root, 'objects', prefix, name), id: prefix + name };
  for (const id of await readdir(join(root, 'incoming')))
    if (isHash(id)) yield { folder: 'incoming', path: join(root, 'incoming', id), id };
}
