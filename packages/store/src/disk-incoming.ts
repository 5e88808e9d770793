/** An artifact that is arriving, in a file of its own until it is whole. */
import { createHash } from 'node:crypto';
import { type FileHandle, rm } from 'node:fs/promises';
import { artifactOversized, assert, type Hash, type Incoming } from '@folkmoot/core';
import { onDisk, readFully, writeFully } from './files.ts';

const HASH_CHUNK_BYTES = 1 << 20;

/** What the store does at the end of a transfer. */
export interface IncomingEnd {
  /** Gives the verified file its place among the artifacts. */
  file(): Promise<void>;
  /** Called once; `keptBytes` of the announced ones stay on the disk. */
  close(keptBytes: number): void;
}

/** Made by `DiskStore.receive`. One call at a time; none after `finish` or `pause`. */
export class DiskIncoming implements Incoming {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #id: Hash;
  readonly #sizeBytes: number;
  readonly #end: IncomingEnd;
  #offset: number;
  #isOpen = true;

  constructor(file: FileHandle, path: string, id: Hash, sizeBytes: number, offset: number, end: IncomingEnd) {
    this.#file = file;
    this.#path = path;
    this.#id = id;
    this.#sizeBytes = sizeBytes;
    this.#offset = offset;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  async append(chunk: Uint8Array): Promise<void> {
    assert(this.#isOpen, 'bytes are appended while the transfer is open');
    if (this.#offset + chunk.length > this.#sizeBytes) throw artifactOversized(this.#id, this.#sizeBytes);
    try {
      await onDisk(this.#path, chunk.length, () => writeFully(this.#file, chunk, this.#offset));
    } catch (error) {
      // A part may have been written. The next attempt resumes at the file's length, so it must be what was counted.
      await this.#file.truncate(this.#offset).catch(() => undefined);
      throw error;
    }
    this.#offset += chunk.length;
  }

  async finish(): Promise<boolean> {
    assert(this.#offset === this.#sizeBytes, 'an artifact is finished when all its bytes are here');
    let keptBytes = this.#sizeBytes;
    try {
      await onDisk(this.#path, 0, () => this.#file.sync());
      const isRight = (await this.#hash()) === this.#id;
      if (isRight) await onDisk(this.#path, 0, () => this.#end.file());
      else {
        await rm(this.#path, { force: true });
        keptBytes = 0;
      }
      return isRight;
    } finally {
      await this.#close(keptBytes);
    }
  }

  async pause(): Promise<void> {
    if (!this.#isOpen) return;
    try {
      await onDisk(this.#path, 0, () => this.#file.sync());
    } finally {
      await this.#close(this.#offset);
    }
  }

  async #close(keptBytes: number): Promise<void> {
    this.#isOpen = false;
    this.#end.close(keptBytes);
    await this.#file.close();
  }

  async #hash(): Promise<Hash> {
    const hash = createHash('sha256');
    const chunk = new Uint8Array(HASH_CHUNK_BYTES);
    for (let at = 0; ; ) {
      const length = await readFully(this.#file, chunk, at);
      if (length === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, length));
      at += length;
    }
  }
}
