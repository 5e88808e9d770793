/** Artifacts in memory, without a disk's delays: what all light members of a crowd share. */
import { artifactMissing, assert, concat, type Hash, type Incoming, type Store, sha256 } from '@folkmoot/core';

export class MemoryStore implements Store {
  readonly #artifacts = new Map<Hash, Uint8Array>();

  async put(bytes: Uint8Array): Promise<Hash> {
    const id = sha256(bytes);
    if (!this.#artifacts.has(id)) this.#artifacts.set(id, bytes.slice());
    return id;
  }

  async get(id: Hash): Promise<Uint8Array> {
    const bytes = this.#artifacts.get(id);
    if (!bytes) throw artifactMissing(id);
    return bytes.slice();
  }

  async size(id: Hash): Promise<number | undefined> {
    return this.#artifacts.get(id)?.length;
  }

  async read(id: Hash, offset: number, length: number): Promise<Uint8Array> {
    return (await this.get(id)).subarray(offset, offset + length);
  }

  async receive(id: Hash, sizeBytes: number): Promise<Incoming> {
    const chunks: Uint8Array[] = [];
    let offset = 0;
    const artifacts = this.#artifacts;
    return {
      get offset() {
        return offset;
      },
      async append(chunk) {
        chunks.push(chunk.slice());
        offset += chunk.length;
      },
      async finish() {
        assert(offset === sizeBytes, 'an artifact is finished when all its bytes are here');
        const bytes = concat(chunks);
        if (sha256(bytes) !== id) return false;
        artifacts.set(id, bytes);
        return true;
      },
      async pause() {},
    };
  }

  async *ids(): AsyncIterable<Hash> {
    yield* [...this.#artifacts.keys()];
  }

  async collect(keep: ReadonlySet<Hash>): Promise<number> {
    let freedBytes = 0;
    for (const [id, bytes] of this.#artifacts) {
      if (keep.has(id)) continue;
      this.#artifacts.delete(id);
      freedBytes += bytes.length;
    }
    return freedBytes;
  }
}
