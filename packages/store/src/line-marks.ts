/**
 * Where the lines of a journal begin: one mark for so many lines, in memory and in a file beside the journal, so that
 * neither opening it nor finding a line reads the whole. A mark that is lost or false costs a scan, never a line.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { assert } from '@folkmoot/core';
import { readFully, writeFully } from './files.ts';

const LINES_PER_MARK = 64;
/** A position (float64), and the checksum of what lies between the mark before and this one. */
const MARK_BYTES = 12;
const READ_CHUNK_BYTES = 1 << 16;
const LINE_END = 0x0a;

export class LineMarks {
  /** Lines up to the journal's end. */
  count = 0;
  readonly #file: FileHandle;
  readonly #journal: FileHandle;
  /** Mark i is the position of line i · `LINES_PER_MARK`. */
  readonly #marks: { position: number; crc: number }[] = [{ position: 0, crc: 0 }];
  /** Marks that the file holds, without the first. */
  #filed = 0;
  /** Checksum from the last mark to the end. */
  #crc = 0;

  private constructor(file: FileHandle, journal: FileHandle) {
    this.#file = file;
    this.#journal = journal;
  }

  /** For the first `sizeBytes` of `journal`, which end with a line; the file is `path`. */
  static async open(path: string, journal: FileHandle, sizeBytes: number): Promise<LineMarks> {
    const marks = new LineMarks(await open(path, constants.O_RDWR | constants.O_CREAT), journal);
    await marks.#load(sizeBytes);
    await marks.#scan(sizeBytes);
    return marks;
  }

  /** Takes note of whole lines at the journal's end. */
  extend(bytes: Uint8Array, position: number): void {
    let from = 0;
    for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) {
      if (++this.count % LINES_PER_MARK > 0) continue;
      const crc = crc32(bytes.subarray(from, at + 1), this.#crc);
      this.#marks.push({ position: position + at + 1, crc });
      this.#crc = 0;
      from = at + 1;
    }
    this.#crc = crc32(bytes.subarray(from), this.#crc);
  }

  /** Writes what is new. Not synced: a mark is no more than a shortcut. */
  async file(): Promise<void> {
    const fresh = this.#marks.slice(this.#filed + 1);
    if (fresh.length === 0) return;
    const view = new DataView(new ArrayBuffer(fresh.length * MARK_BYTES));
    for (const [i, { position, crc }] of fresh.entries()) {
      view.setFloat64(i * MARK_BYTES, position);
      view.setUint32(i * MARK_BYTES + 8, crc);
    }
    await writeFully(this.#file, new Uint8Array(view.buffer), this.#filed * MARK_BYTES);
    this.#filed += fresh.length;
  }

  /** The position of line `index`; of the end where there are no more. */
  async positionOf(index: number, sizeBytes: number): Promise<number> {
    if (index >= this.count) return sizeBytes;
    const mark = Math.floor(index / LINES_PER_MARK);
    let left = index % LINES_PER_MARK;
    const end = this.#marks[mark + 1]?.position ?? sizeBytes;
    for await (const { bytes, position } of chunks(this.#journal, this.#marks[mark]!.position, end))
      for (let at = -1; ; ) {
        if (left === 0) return position + at + 1;
        at = bytes.indexOf(LINE_END, at + 1);
        if (at < 0) break;
        left--;
      }
    return end;
  }

  /** Forgets what lies behind the first `count` lines, which end at `sizeBytes`. Before the journal is cut. */
  async cut(count: number, sizeBytes: number): Promise<void> {
    if (count >= this.count) return;
    this.#marks.length = Math.floor(count / LINES_PER_MARK) + 1;
    this.#filed = Math.min(this.#filed, this.#marks.length - 1);
    await this.#file.truncate(this.#filed * MARK_BYTES);
    await this.#scan(sizeBytes);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Reads marks that lie in order within the journal, and whose last one fits what the journal holds. */
  async #load(sizeBytes: number): Promise<void> {
    const { size } = await this.#file.stat();
    const bytes = new Uint8Array(size - (size % MARK_BYTES));
    const view = new DataView(bytes.buffer, 0, await readFully(this.#file, bytes, 0));
    for (let at = 0; at + MARK_BYTES <= view.byteLength; at += MARK_BYTES) {
      const position = view.getFloat64(at);
      if (!Number.isSafeInteger(position) || position > sizeBytes || position <= this.#marks.at(-1)!.position) break;
      this.#marks.push({ position, crc: view.getUint32(at + 8) });
    }
    while (this.#marks.length > 1 && !(await this.#fitsLast())) this.#marks.pop();
    this.#filed = this.#marks.length - 1;
    await this.#file.truncate(this.#filed * MARK_BYTES);
  }

  async #fitsLast(): Promise<boolean> {
    const [before, last] = this.#marks.slice(-2) as [{ position: number }, { position: number; crc: number }];
    let crc = 0;
    let lines = 0;
    for await (const { bytes } of chunks(this.#journal, before.position, last.position)) {
      crc = crc32(bytes, crc);
      for (const byte of bytes) if (byte === LINE_END) lines++;
    }
    return crc === last.crc && lines === LINES_PER_MARK;
  }

  /** Goes on from the last mark to the end. */
  async #scan(sizeBytes: number): Promise<void> {
    this.count = (this.#marks.length - 1) * LINES_PER_MARK;
    this.#crc = 0;
    for await (const { bytes, position } of chunks(this.#journal, this.#marks.at(-1)!.position, sizeBytes))
      this.extend(bytes, position);
    assert(this.#filed < this.#marks.length, 'no more marks are filed than there are');
    await this.file().catch(() => {});
  }
}

/** The bytes from `from` to `to`, piece by piece. */
async function* chunks(
  file: FileHandle,
  from: number,
  to: number,
): AsyncIterable<{ bytes: Uint8Array; position: number }> {
  const chunk = new Uint8Array(Math.min(READ_CHUNK_BYTES, Math.max(0, to - from)));
  for (let position = from; position < to; ) {
    const length = await readFully(file, chunk.subarray(0, Math.min(chunk.length, to - position)), position);
    if (length === 0) return;
    yield { bytes: chunk.subarray(0, length), position };
    position += length;
  }
}
