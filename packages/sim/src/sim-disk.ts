/** The disk of a simulated machine: it outlives crashes, and can be damaged. */
import { assert, below, diskFull, type Hash, type Random, randomBytes } from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';
import type { Life } from './sim-life.ts';

/** A change on its way to the disk. */
interface PendingWrite {
  readonly life: Life;
  readonly land: (isWhole: boolean) => void;
}

/**
 * What one machine has stored, and the faults that can be done to it.
 *
 * Reads and writes take a little virtual time, so that a crash can fall into the middle of them.
 */
export class SimDisk {
  readonly clock: SimClock;
  readonly artifacts = new Map<Hash, Uint8Array>();
  readonly incoming = new Map<Hash, Uint8Array>();
  readonly journals = new Map<string, string>();
  readonly cells = new Map<string, Uint8Array>();
  /** Room for everything together. */
  capacityBytes = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  readonly #pending = new Set<PendingWrite>();

  constructor(clock: SimClock, random: Random) {
    this.clock = clock;
    this.#random = random;
  }

  get usedBytes(): number {
    let sum = 0;
    for (const map of [this.artifacts, this.incoming, this.cells])
      for (const bytes of map.values()) sum += bytes.length;
    for (const text of this.journals.values()) sum += text.length;
    return sum;
  }

  /** Flips one bit of a stored artifact. */
  corrupt(id: Hash): void {
    const bytes = this.artifacts.get(id);
    assert(bytes?.length, 'only an artifact that is here can be damaged');
    const damaged = bytes.slice();
    damaged[below(this.#random, damaged.length)]! ^= 1 << below(this.#random, 8);
    this.artifacts.set(id, damaged);
  }

  /** Leaves no room for another byte. */
  fill(): void {
    this.capacityBytes = this.usedBytes;
  }

  /** Deletes the artifacts, whole and arriving; journals and cells stay. */
  wipeStore(): void {
    this.artifacts.clear();
    this.incoming.clear();
  }

  /** Forgets the last `count` lines of a journal: the disk had said that they were safe, and they were not. */
  loseTail(name: string, count: number): void {
    const lines = (this.journals.get(name) ?? '').split('\n').slice(0, -1);
    this.journals.set(
      name,
      lines
        .slice(0, Math.max(0, lines.length - count))
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  /** Puts the beginning of a line, without its end, behind a journal. */
  tearJournal(name: string): void {
    this.journals.set(name, `${this.journals.get(name) ?? ''}{"torn":"${randomBytes(this.#random, 3).join()}`);
  }

  /** The machine stops: of what was on its way to the disk, each write lands whole, in part or not at all. */
  crash(life: Life): void {
    for (const write of [...this.#pending]) {
      if (write.life !== life) continue;
      this.#pending.delete(write);
      const fate = below(this.#random, 3);
      if (fate > 0) write.land(fate === 1);
    }
  }

  /** Waits as long as a read takes. */
  async delay(): Promise<void> {
    await this.clock.sleep(below(this.#random, 2));
  }

  /**
   * Writes `sizeBytes` by `land(true)` after a moment; `land(false)` is a write that a crash cut short.
   * Throws `disk-full`.
   */
  write(life: Life, path: string, sizeBytes: number, land: (isWhole: boolean) => void): Promise<void> {
    return life.attempt(async () => {
      const pending: PendingWrite = { life, land };
      this.#pending.add(pending);
      await this.clock.sleep(below(this.#random, 4));
      if (!this.#pending.delete(pending)) return;
      if (this.capacityBytes < Number.POSITIVE_INFINITY) {
        const freeBytes = this.capacityBytes - this.usedBytes;
        if (sizeBytes > freeBytes) throw diskFull(path, sizeBytes, freeBytes);
      }
      land(true);
    });
  }
}
