/**
 * Where in its seat each device began, from the log alone: after the furthest lease that keepers had shown of whoever held
 * the seat before, and before that one the same.
 */
import type { DeviceId } from '@folkmoot/core';
import { isKind, type Look } from './checker.ts';

export class SeatShares {
  /** Segments before the device's first, by `round device`; whoever was assigned began with the first. */
  readonly #before = new Map<string, number>();
  /** By `round device`: the furthest segment of its own that keepers have seen leased. */
  readonly #leased = new Map<string, number>();

  see({ body, accepted, events }: Look): void {
    // Records are told of the round that they name, and a lease counts from the entry that shows it.
    if (accepted && isKind(body, 'lapse'))
      for (const { trainer, lease } of body.seats) {
        const name = `${body.round} ${trainer}`;
        this.#leased.set(name, Math.max(this.#leased.get(name) ?? 0, lease?.body.segment ?? 0));
      }
    for (const event of events)
      if (event.kind === 'handed-over') {
        const { round, trainer, standIn } = event;
        this.#before.set(
          `${round} ${standIn}`,
          this.before(round, trainer) + (this.#leased.get(`${round} ${trainer}`) ?? 0),
        );
      }
  }

  before(round: number, device: DeviceId): number {
    return this.#before.get(`${round} ${device}`) ?? 0;
  }
}
