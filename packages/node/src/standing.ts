/**
 * What is remembered of a peer's conduct, or of a place from which peers come.
 *
 * Faults are what no honest node does: enough of them, and it is banned for a while. Strain is what happens to the honest
 * too (silence, slowness, records that came too late): it makes others be asked first, and bans nobody. Both fade.
 */

export const OFFENCES = {
  /** A request or an answer that the protocol does not know. */
  malformed: { fault: 10, strain: 0 },
  /** Bytes with another hash than their name. */
  'false-bytes': { fault: 40, strain: 0 },
  /** An entry of the log that is not signed, or of another run. */
  'false-entry': { fault: 50, strain: 0 },
  /** A request beyond what a peer may ask. */
  flood: { fault: 0.1, strain: 1 },
  refused: { fault: 0, strain: 1 },
  failed: { fault: 0, strain: 2 },
  silent: { fault: 0, strain: 5 },
} as const;

export type Offence = keyof typeof OFFENCES;

const HALF_LIFE_MS = 600_000;
const FIRST_BAN_MS = 600_000;
const LONGEST_BAN_MS = 86_400_000;
/** A former ban counts for so long: then the next one is a first again. */
const REMEMBERED_MS = 2 * LONGEST_BAN_MS;

export class Standing {
  #fault = 0;
  #strain = 0;
  #atMs: number;
  #bans = 0;
  #bannedUntilMs = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Whether the offence led to a ban. `banAt`: faults that are too many. */
  add(offence: Offence, banAt: number, nowMs: number): boolean {
    this.#fade(nowMs);
    this.#fault += OFFENCES[offence].fault;
    this.#strain += OFFENCES[offence].strain;
    if (this.#fault < banAt || this.isBanned(nowMs)) return false;
    if (nowMs - this.#bannedUntilMs > REMEMBERED_MS) this.#bans = 0;
    this.#bannedUntilMs = nowMs + Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** Math.min(this.#bans, 16));
    this.#bans++;
    this.#fault = 0;
    return true;
  }

  isBanned(nowMs: number): boolean {
    return nowMs < this.#bannedUntilMs;
  }

  /** 0 for a peer of whom nothing bad is known; the higher, the later it is asked. */
  burden(nowMs: number): number {
    this.#fade(nowMs);
    return this.#fault + this.#strain;
  }

  #fade(nowMs: number): void {
    const factor = 0.5 ** (Math.max(0, nowMs - this.#atMs) / HALF_LIFE_MS);
    this.#fault *= factor;
    this.#strain *= factor;
    this.#atMs = nowMs;
  }
}
