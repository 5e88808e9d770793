/**
 * Bytes that came in chunks, first in, first out, at about their own weight in memory.
 *
 * A chunk of one byte is an object of a hundred, and removing the first of many moves all others: a peer that sends one
 * byte at a time would take a hundred times what is counted, and quadratic time. Small chunks are copied together.
 */

/** A chunk from here on is kept as it came; smaller ones share blocks of this size. */
export const BLOCK_BYTES = 4096;

export class ByteQueue {
  /** Those before `#first` were taken. */
  #chunks: Uint8Array[] = [];
  #first = 0;
  /** Of the last chunk, where that is a block of ours: bytes after it that are free. */
  #room: Uint8Array = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Chunks that are held: at most two for each half block of bytes (a small one, a large one), and two at the ends. */
  get chunks(): number {
    return this.#chunks.length - this.#first;
  }

  push(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (chunk.length >= BLOCK_BYTES / 2) {
      this.#chunks.push(chunk);
      this.#room = NOTHING;
      return;
    }
    if (chunk.length === 0) return;
    if (chunk.length > this.#room.length) this.#addBlock();
    this.#room.set(chunk);
    const last = this.#chunks.length - 1;
    const block = this.#chunks[last]!;
    // The view grows over what was added; its block is already there.
    this.#chunks[last] = new Uint8Array(block.buffer, block.byteOffset, block.length + chunk.length);
    this.#room = this.#room.subarray(chunk.length);
  }

  /** The next bytes, at most `most`; empty where there are none. They must not change. */
  take(most: number): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (!chunk || most < 1) return NOTHING;
    const part = chunk.subarray(0, most);
    if (part.length < chunk.length) this.#chunks[this.#first] = chunk.subarray(part.length);
    else this.#drop();
    this.#length -= part.length;
    return part;
  }

  /** All of it, emptied on the way. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    while (this.#length > 0) yield this.take(this.#length);
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#room = NOTHING;
    this.#length = 0;
  }

  #addBlock(): void {
    this.#room = new Uint8Array(BLOCK_BYTES);
    this.#chunks.push(this.#room.subarray(0, 0));
  }

  /** Moves the rest only when as many were taken as are left. */
  #drop(): void {
    this.#chunks[this.#first] = NOTHING;
    this.#first++;
    if (this.#first === this.#chunks.length) this.#room = NOTHING;
    if (2 * this.#first < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}

const NOTHING = new Uint8Array(0);
