/** A simulated connection between two devices, and one ordered channel of bytes over it. */
import { below, type DeviceId, type Random, sha256, utf8 } from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';

/** How the simulated internet behaves. All of it may change while the simulation runs. */
export interface Conditions {
  /** One-way delay, milliseconds, drawn evenly for each message. */
  readonly delayMs: { readonly min: number; readonly max: number };
  /** Chance in [0, 1] that a message is lost with everything behind it: the exchange stalls, or breaks at both ends. */
  readonly loss: number;
  /** What one device can send, in bytes per millisecond; Infinity for no limit. */
  readonly bytesPerMs: number;
  /**
   * Chance in [0, 1) that a delay doubles, and then again, and again, up to ten times: P(longer than 2^k delays) = tail^k,
   * the tail of a Pareto distribution with exponent log2(1/tail). Doubling is exact on every machine; a power is not.
   */
  readonly tail: number;
  /** Chance in [0, 1] that an exchange starts up to two seconds late, so that a later one overtakes it. */
  readonly reorder: number;
  /** Chance in [0, 1] that a request arrives twice, as when its sender tries again without having heard the answer. */
  readonly duplicate: number;
}

const MOST_DOUBLINGS = 10;
const LATE_START_MS = 2000;

export const GOOD_CONDITIONS: Conditions = {
  delayMs: { min: 5, max: 40 },
  loss: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
  tail: 0,
  reorder: 0,
  duplicate: 0,
};

/** Whether nothing gets from one device to another. */
export type Cut = (from: DeviceId, to: DeviceId) => boolean;

/** The part of the hub that links share: time, chance, who is cut off from whom, the trace. */
export class Air {
  readonly clock: SimClock;
  readonly random: Random;
  conditions: Conditions;
  /** By name, so that several may last at once. */
  readonly cuts = new Map<string, Cut>();
  /** Devices with a line of their own, bytes per millisecond. */
  readonly slowLines = new Map<DeviceId, number>();
  readonly #uplinkFreeAtMs = new Map<DeviceId, number>();
  #trace = '';

  constructor(clock: SimClock, random: Random, conditions: Conditions) {
    this.clock = clock;
    this.random = random;
    this.conditions = conditions;
  }

  delayMs(): number {
    const { min, max } = this.conditions.delayMs;
    let delayMs = min + below(this.random, max - min + 1);
    for (let i = 0; i < MOST_DOUBLINGS && this.happens(this.conditions.tail); i++) delayMs *= 2;
    return delayMs;
  }

  /** How much later than now an exchange starts. */
  lateStartMs(): number {
    return this.happens(this.conditions.reorder) ? below(this.random, LATE_START_MS) : 0;
  }

  happens(chance: number): boolean {
    return chance > 0 && this.random.uint32() < chance * 2 ** 32;
  }

  /** How long `sizeBytes` take from `from` to anybody, its other messages in front of it included. */
  transferMs(from: DeviceId, sizeBytes: number): number {
    const startMs = Math.max(this.clock.now(), this.#uplinkFreeAtMs.get(from) ?? 0);
    const bytesPerMs = Math.min(this.conditions.bytesPerMs, this.slowLines.get(from) ?? Number.POSITIVE_INFINITY);
    const sentAtMs = startMs + Math.ceil(sizeBytes / bytesPerMs);
    this.#uplinkFreeAtMs.set(from, sentAtMs);
    return sentAtMs - this.clock.now() + this.delayMs();
  }

  isCut(from: DeviceId, to: DeviceId): boolean {
    for (const cut of this.cuts.values()) if (cut(from, to)) return true;
    return false;
  }

  /** Adds a happening to the trace. */
  note(...words: (string | number)[]): void {
    this.#trace = sha256(utf8(`${this.#trace} ${this.clock.now()} ${words.join(' ')}`));
  }

  get traceHash(): string {
    return this.#trace;
  }
}

/** One connection. What is on its way when it closes never arrives. */
export class SimLink {
  readonly air: Air;
  readonly ends: readonly [DeviceId, DeviceId];
  #open = true;
  #held: { to: DeviceId; action: () => void }[] = [];
  readonly #onClose = new Set<() => void>();

  constructor(air: Air, a: DeviceId, b: DeviceId) {
    this.air = air;
    this.ends = [a, b];
  }

  get open(): boolean {
    return this.#open;
  }

  /** In one direction at least: without acknowledgements a connection breaks too. */
  get cut(): boolean {
    const [a, b] = this.ends;
    return this.air.isCut(a, b) || this.air.isCut(b, a);
  }

  /** Calls `listener` once, when the connection closes; returns a function that stops that. */
  onClose(listener: () => void): () => void {
    this.#onClose.add(listener);
    return () => this.#onClose.delete(listener);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#held = [];
    for (const listener of [...this.#onClose]) listener();
  }

  /** Runs `action` at the end `to`: now, or once the cut is healed. */
  arrive(to: DeviceId, action: () => void): void {
    if (!this.#open) return;
    const from = this.ends[0] === to ? this.ends[1] : this.ends[0];
    if (this.air.isCut(from, to)) this.#held.push({ to, action });
    else action();
  }

  /** Lets pass what a cut held back, in order. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const { to, action } of held) this.arrive(to, action);
  }
}

/** One direction of one exchange: ordered, delayed, perhaps lost. */
export class SimChannel {
  readonly #link: SimLink;
  readonly #from: DeviceId;
  readonly #to: DeviceId;
  readonly #onBreak: () => void;
  #lastArrivalMs: number;
  #stalled = false;

  /** `onBreak` runs where a loss shows itself at once. */
  constructor(link: SimLink, from: DeviceId, onBreak: () => void) {
    this.#link = link;
    this.#from = from;
    this.#to = link.ends[0] === from ? link.ends[1] : link.ends[0];
    this.#onBreak = onBreak;
    this.#lastArrivalMs = link.air.clock.now() + link.air.lateStartMs();
  }

  /** Runs `deliver` when a message of `sizeBytes` has arrived, after all that was sent before. */
  send(sizeBytes: number, deliver: () => void): void {
    const { air } = this.#link;
    if (this.#stalled || !this.#link.open) return;
    const isLost = air.happens(air.conditions.loss);
    if (isLost) this.#stalled = true;
    if (isLost && air.happens(0.5)) return;
    const nowMs = air.clock.now();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + air.transferMs(this.#from, sizeBytes));
    const action = isLost ? this.#onBreak : deliver;
    air.clock.schedule(this.#lastArrivalMs - nowMs, () => this.#link.arrive(this.#to, action));
  }
}
