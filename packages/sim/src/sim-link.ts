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
}

export const GOOD_CONDITIONS: Conditions = {
  delayMs: { min: 5, max: 40 },
  loss: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
};

/** The part of the hub that links share: time, chance, who is cut off from whom, the trace. */
export class Air {
  readonly clock: SimClock;
  readonly random: Random;
  conditions: Conditions;
  #sides: ReadonlyMap<DeviceId, number> = new Map();
  readonly #uplinkFreeAtMs = new Map<DeviceId, number>();
  #trace = '';

  constructor(clock: SimClock, random: Random, conditions: Conditions) {
    this.clock = clock;
    this.random = random;
    this.conditions = conditions;
  }

  delayMs(): number {
    const { min, max } = this.conditions.delayMs;
    return min + below(this.random, max - min + 1);
  }

  happens(chance: number): boolean {
    return chance > 0 && this.random.uint32() < chance * 2 ** 32;
  }

  /** How long `sizeBytes` take from `from` to anybody, its other messages in front of it included. */
  transferMs(from: DeviceId, sizeBytes: number): number {
    const startMs = Math.max(this.clock.now(), this.#uplinkFreeAtMs.get(from) ?? 0);
    const sentAtMs = startMs + Math.ceil(sizeBytes / this.conditions.bytesPerMs);
    this.#uplinkFreeAtMs.set(from, sentAtMs);
    return sentAtMs - this.clock.now() + this.delayMs();
  }

  /** Devices of one group hear only each other; those in no group are together. */
  partition(groups: readonly (readonly DeviceId[])[]): void {
    this.#sides = new Map(groups.flatMap((group, side) => group.map((device) => [device, side] as const)));
  }

  isCut(a: DeviceId, b: DeviceId): boolean {
    return this.#sides.get(a) !== this.#sides.get(b);
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
  #held: (() => void)[] = [];
  readonly #onClose = new Set<() => void>();

  constructor(air: Air, a: DeviceId, b: DeviceId) {
    this.air = air;
    this.ends = [a, b];
  }

  get open(): boolean {
    return this.#open;
  }

  get cut(): boolean {
    return this.air.isCut(...this.ends);
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

  /** Runs `action` at the other end: now, or once the cut is healed. */
  arrive(action: () => void): void {
    if (!this.#open) return;
    if (this.cut) this.#held.push(action);
    else action();
  }

  /** Lets pass what a cut held back, in order. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.arrive(action);
  }
}

/** One direction of one exchange: ordered, delayed, perhaps lost. */
export class SimChannel {
  readonly #link: SimLink;
  readonly #from: DeviceId;
  readonly #onBreak: () => void;
  #lastArrivalMs = 0;
  #stalled = false;

  /** `onBreak` runs where a loss shows itself at once. */
  constructor(link: SimLink, from: DeviceId, onBreak: () => void) {
    this.#link = link;
    this.#from = from;
    this.#onBreak = onBreak;
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
    air.clock.schedule(this.#lastArrivalMs - nowMs, () => this.#link.arrive(action));
  }
}
