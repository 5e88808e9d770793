/** `Store`, `Journal` and `Cells` over a simulated disk, for one life of its machine. */
import {
  artifactCorrupt,
  artifactMissing,
  artifactOversized,
  assert,
  type Cells,
  concat,
  type Hash,
  type Incoming,
  type Journal,
  type Store,
  sha256,
  storeFull,
  utf8,
  WorldError,
} from '@folkmoot/core';
import type { SimDisk } from './sim-disk.ts';
import type { Life } from './sim-life.ts';

export class SimStore implements Store {
  readonly #disk: SimDisk;
  readonly #life: Life;
  readonly #maxBytes: number;
  readonly #arriving = new Set<Hash>();

  constructor(disk: SimDisk, life: Life, options: { maxBytes?: number } = {}) {
    this.#disk = disk;
    this.#life = life;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  async put(bytes: Uint8Array): Promise<Hash> {
    const id = sha256(bytes);
    if (!this.#disk.artifacts.has(id)) this.#makeRoom(bytes.length);
    const copy = bytes.slice();
    await this.#disk.write(this.#life, id, copy.length, (isWhole) => {
      if (isWhole) this.#disk.artifacts.set(id, copy);
    });
    return id;
  }

  get(id: Hash): Promise<Uint8Array> {
    return this.#life.attempt(async () => {
      await this.#disk.delay();
      const bytes = this.#disk.artifacts.get(id);
      if (!bytes) throw artifactMissing(id);
      if (sha256(bytes) === id) return bytes.slice();
      this.#disk.artifacts.delete(id);
      throw artifactCorrupt(id, 'nowhere: this disk is simulated');
    });
  }

  size(id: Hash): Promise<number | undefined> {
    return this.#life.attempt(async () => this.#disk.artifacts.get(id)?.length);
  }

  read(id: Hash, offset: number, length: number): Promise<Uint8Array> {
    return this.#life.attempt(async () => {
      await this.#disk.delay();
      const bytes = this.#disk.artifacts.get(id);
      if (!bytes) throw artifactMissing(id);
      return bytes.slice(offset, offset + length);
    });
  }

  receive(id: Hash, sizeBytes: number): Promise<Incoming> {
    return this.#life.attempt(async () => {
      if (this.#arriving.has(id))
        throw new WorldError('artifact-arriving', 'This artifact is being received already.', {
          facts: { artifact: id },
          help: 'Wait for the other transfer.',
        });
      const held = this.#disk.artifacts.get(id) ?? this.#disk.incoming.get(id) ?? new Uint8Array(0);
      if (held.length > sizeBytes) this.#disk.incoming.delete(id);
      const offset = held.length > sizeBytes ? 0 : held.length;
      this.#makeRoom(sizeBytes - offset);
      this.#arriving.add(id);
      const close = () => this.#arriving.delete(id);
      return new SimIncoming(this.#disk, this.#life, id, sizeBytes, offset, close);
    });
  }

  async *ids(): AsyncIterable<Hash> {
    for (const id of [...this.#disk.artifacts.keys()].sort()) {
      await this.#life.attempt(async () => {});
      yield id;
    }
  }

  collect(keep: ReadonlySet<Hash>): Promise<number> {
    return this.#life.attempt(async () => {
      const usedBytes = this.#disk.usedBytes;
      for (const id of this.#disk.artifacts.keys()) if (!keep.has(id)) this.#disk.artifacts.delete(id);
      for (const id of this.#disk.incoming.keys())
        if (!keep.has(id) && !this.#arriving.has(id)) this.#disk.incoming.delete(id);
      return usedBytes - this.#disk.usedBytes;
    });
  }

  #makeRoom(sizeBytes: number): void {
    let usedBytes = 0;
    for (const bytes of this.#disk.artifacts.values()) usedBytes += bytes.length;
    for (const bytes of this.#disk.incoming.values()) usedBytes += bytes.length;
    if (usedBytes + sizeBytes > this.#maxBytes) throw storeFull(sizeBytes, usedBytes, this.#maxBytes);
  }
}

class SimIncoming implements Incoming {
  offset: number;
  readonly #disk: SimDisk;
  readonly #life: Life;
  readonly #id: Hash;
  readonly #sizeBytes: number;
  readonly #close: () => void;

  constructor(disk: SimDisk, life: Life, id: Hash, sizeBytes: number, offset: number, close: () => void) {
    this.#disk = disk;
    this.#life = life;
    this.#id = id;
    this.#sizeBytes = sizeBytes;
    this.offset = offset;
    this.#close = close;
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.offset + chunk.length > this.#sizeBytes) throw artifactOversized(this.#id, this.#sizeBytes);
    const copy = chunk.slice();
    await this.#disk.write(this.#life, this.#id, copy.length, (isWhole) => {
      const kept = isWhole ? copy : copy.subarray(0, copy.length >> 1);
      this.#disk.incoming.set(this.#id, concat([this.#disk.incoming.get(this.#id) ?? new Uint8Array(0), kept]));
    });
    this.offset += copy.length;
  }

  finish(): Promise<boolean> {
    assert(this.offset === this.#sizeBytes, 'an artifact is finished when all its bytes are here');
    return this.#life.attempt(async () => {
      this.#close();
      if (this.#disk.artifacts.has(this.#id)) return true;
      const bytes = this.#disk.incoming.get(this.#id) ?? new Uint8Array(0);
      this.#disk.incoming.delete(this.#id);
      if (sha256(bytes) !== this.#id) return false;
      this.#disk.artifacts.set(this.#id, bytes);
      return true;
    });
  }

  async pause(): Promise<void> {
    this.#close();
  }
}

/** A journal; opening it drops a torn last line, as the real one does. */
export function openSimJournal(disk: SimDisk, life: Life, name: string): Journal {
  const stored = disk.journals.get(name) ?? '';
  disk.journals.set(name, stored.slice(0, stored.lastIndexOf('\n') + 1));
  const text = () => disk.journals.get(name) ?? '';
  let order: Promise<unknown> = Promise.resolve();
  const all = () => text().split('\n').slice(0, -1);
  return {
    get count() {
      return all().length;
    },
    append(lines) {
      for (const line of lines) assert(!line.includes('\n'), 'a journal line has no line break');
      const added = lines.map((line) => `${line}\n`).join('');
      const write = () =>
        disk.write(life, name, utf8(added).length, (isWhole) => {
          disk.journals.set(name, text() + (isWhole ? added : added.slice(0, added.length >> 1)));
        });
      const done = order.then(write, write);
      order = done;
      return done;
    },
    truncate(count) {
      const cut = () =>
        disk.write(life, name, 0, (isWhole) => {
          const kept = all().slice(0, count);
          if (isWhole) disk.journals.set(name, kept.map((line) => `${line}\n`).join(''));
        });
      const done = order.then(cut, cut);
      order = done;
      return done;
    },
    async *lines(from, to) {
      await life.attempt(() => disk.delay());
      yield* all().slice(from, to);
    },
    async close() {
      await order.catch(() => undefined);
    },
  };
}

export function openSimCells(disk: SimDisk, life: Life): Cells {
  return {
    read: (name) => life.attempt(async () => disk.cells.get(name)?.slice()),
    write(name, bytes) {
      const copy = bytes.slice();
      return disk.write(life, name, copy.length, (isWhole) => {
        if (isWhole) disk.cells.set(name, copy);
      });
    },
  };
}
