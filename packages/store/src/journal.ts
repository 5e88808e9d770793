/** A file of lines, which grows at its end and can be cut there: what was acknowledged survives a crash; a line cut short by one is dropped. */
import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert, type Journal, utf8 } from '@folkmoot/core';
import { onDisk, readFully, writeFully } from './files.ts';
import { LineMarks } from './line-marks.ts';

const READ_CHUNK_BYTES = 1 << 16;
const LINE_END = 0x0a;

interface Waiting {
  readonly text: string;
  /** Lines to keep, where this is a cut. */
  readonly keep?: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the journal at `path`, made where it is not there; cuts off a torn last line. */
export async function openJournal(path: string): Promise<Journal> {
  return onDisk(path, 0, async () => {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, constants.O_RDWR | constants.O_CREAT);
    const { size } = await file.stat();
    const wholeBytes = await endOfLastLine(file, size);
    if (wholeBytes < size) {
      await file.truncate(wholeBytes);
      await file.sync();
    }
    const marks = await LineMarks.open(`${path}.marks`, file, wholeBytes);
    return new DiskJournal(file, path, wholeBytes, marks);
  });
}

class DiskJournal implements Journal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #marks: LineMarks;
  #sizeBytes: number;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #isOpen = true;
  #failure: unknown;

  constructor(file: FileHandle, path: string, sizeBytes: number, marks: LineMarks) {
    this.#file = file;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#marks = marks;
  }

  get count(): number {
    return this.#marks.count;
  }

  append(lines: readonly string[]): Promise<void> {
    assert(this.#isOpen, 'lines are appended while the journal is open');
    for (const line of lines) assert(!line.includes('\n'), 'a journal line has no line break');
    const text = lines.map((line) => `${line}\n`).join('');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** What waits to be written goes first. */
  truncate(count: number): Promise<void> {
    assert(this.#isOpen, 'a journal is cut while it is open');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text: '', keep: count, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async *lines(from = 0, to = Number.POSITIVE_INFINITY): AsyncIterable<string> {
    const endBytes = this.#sizeBytes;
    const startBytes = await this.#marks.positionOf(from, endBytes);
    let left = to - from;
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(READ_CHUNK_BYTES);
    let rest = '';
    for (let at = startBytes; at < endBytes && left > 0; ) {
      const length = await readFully(this.#file, chunk.subarray(0, Math.min(chunk.length, endBytes - at)), at);
      if (length === 0) return;
      at += length;
      // Not node:readline: it also breaks lines at U+2028, which canonical JSON leaves as it is.
      const parts = (rest + decoder.decode(chunk.subarray(0, length), { stream: true })).split('\n');
      rest = parts.pop()!;
      for (const line of parts) if (left-- > 0) yield line;
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#flushing;
    await this.#marks.close();
    await this.#file.close();
  }

  /** Writes what waits, as one write and one fsync, until nothing does. */
  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const cut = this.#waiting.findIndex(({ keep }) => keep !== undefined);
      const group = this.#waiting.splice(0, cut === -1 ? this.#waiting.length : Math.max(1, cut));
      try {
        if (cut === 0) await this.#cut(group[0]!.keep!);
        else await this.#write(utf8(group.map(({ text }) => text).join('')));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async #cut(count: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await onDisk(this.#path, 0, async () => {
        const sizeBytes = await this.#marks.positionOf(count, this.#sizeBytes);
        await this.#marks.cut(count, sizeBytes);
        await this.#file.truncate(sizeBytes);
        await this.#file.datasync();
        this.#sizeBytes = sizeBytes;
      });
    } catch (error) {
      // Half cut, lines could be written behind others than was meant.
      this.#failure = error;
      throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await onDisk(this.#path, bytes.length, async () => {
        await writeFully(this.#file, bytes, this.#sizeBytes);
        await this.#file.datasync();
      });
      this.#marks.extend(bytes, this.#sizeBytes);
      this.#sizeBytes += bytes.length;
      await this.#marks.file().catch(() => {});
    } catch (error) {
      // What was refused must not come back after a restart; where that cannot be had, nothing more is taken.
      await this.#file.truncate(this.#sizeBytes).catch(() => {
        this.#failure = error;
      });
      throw error;
    }
  }
}

/** The position behind the last line end, found from the back. */
async function endOfLastLine(file: FileHandle, sizeBytes: number): Promise<number> {
  const chunk = new Uint8Array(READ_CHUNK_BYTES);
  for (let end = sizeBytes; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const part = chunk.subarray(0, end - start);
    await readFully(file, part, start);
    const at = part.lastIndexOf(LINE_END);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
