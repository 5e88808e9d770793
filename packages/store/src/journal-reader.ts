/** A journal that another process may be writing, read without touching it. */
import { type FileHandle, open } from 'node:fs/promises';
import { ifThere, readFully } from './files.ts';

const READ_CHUNK_BYTES = 1 << 18;
const LINE_END = 0x0a;

/** Bytes before the place where reading stopped that must be the same the next time. */
const TAIL_BYTES = 512;

/**
 * Reads on from where it stopped; a line that is still being written is left for the next time. Where what was read before
 * is not there any more, everything is read again.
 */
export class JournalReader {
  readonly #path: string;
  /** Bytes that were given as whole lines. */
  #position = 0;
  /** The last of them. */
  #tail = new Uint8Array(0);
  /** How often the journal was found to be another: what the last call gave begins at its first line. */
  turns = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole lines that were added since the last call; none where there is no file yet. */
  async read(): Promise<string[]> {
    const file = await ifThere(open(this.#path, 'r'));
    if (!file) return [];
    try {
      const { size } = await file.stat();
      if (!(await this.#isSame(file, size))) {
        this.turns++;
        this.#position = 0;
      }
      const lines: string[] = [];
      let torn = new Uint8Array(0);
      for (let at = this.#position; at < size; ) {
        const chunk = new Uint8Array(torn.length + Math.min(READ_CHUNK_BYTES, size - at));
        chunk.set(torn);
        const length = await readFully(file, chunk.subarray(torn.length), at);
        if (length === 0) break;
        at += length;
        const bytes = chunk.subarray(0, torn.length + length);
        const whole = bytes.lastIndexOf(LINE_END) + 1;
        // Cut at line ends, so no character is cut in two; not node:readline, which also breaks lines at U+2028.
        if (whole > 0)
          for (const line of new TextDecoder().decode(bytes.subarray(0, whole - 1)).split('\n')) lines.push(line);
        torn = bytes.slice(whole);
        this.#position = at - torn.length;
      }
      this.#tail = await this.#tailOf(file);
      return lines;
    } finally {
      await file.close();
    }
  }

  /** Whether the journal still ends its first `#position` bytes as it did. */
  async #isSame(file: FileHandle, size: number): Promise<boolean> {
    return size >= this.#position && Buffer.compare(await this.#tailOf(file), this.#tail) === 0;
  }

  async #tailOf(file: FileHandle): Promise<Uint8Array<ArrayBuffer>> {
    const tail = new Uint8Array(Math.min(TAIL_BYTES, this.#position));
    const length = await readFully(file, tail, this.#position - tail.length);
    return tail.slice(0, length);
  }
}
