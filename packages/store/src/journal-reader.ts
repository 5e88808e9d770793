/** A journal that another process may be writing, read without touching it. */
import { open } from 'node:fs/promises';
import { ifThere, readFully } from './files.ts';

const READ_CHUNK_BYTES = 1 << 18;
const LINE_END = 0x0a;

/** Reads on from where it stopped; a line that is still being written is left for the next time. */
export class JournalReader {
  readonly #path: string;
  /** Bytes that were given as whole lines. */
  #position = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole lines that were added since the last call; none where there is no file yet. */
  async read(): Promise<string[]> {
    const file = await ifThere(open(this.#path, 'r'));
    if (!file) return [];
    try {
      const { size } = await file.stat();
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
      return lines;
    } finally {
      await file.close();
    }
  }
}
