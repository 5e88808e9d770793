/** A token bucket: so much at once, so much in the long run. Its time is its caller's. */

export interface Rate {
  /** Most at once. */
  readonly burst: number;
  /** In the long run. */
  readonly perSecond: number;
}

export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** Takes one where there is one. The rate may differ from call to call. A clock that goes back gives nothing. */
  take({ burst, perSecond }: Rate, nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + (passedMs * perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
