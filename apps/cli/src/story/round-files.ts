/** What is known of each round: who took part, what they delivered, how it ended. */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { Settlement } from '@folkmoot/ledger';
import type { Carry, State } from '@folkmoot/protocol';
import { type Header, headerId } from '@folkmoot/records';
import type { Told } from './story.ts';

export interface SeatFile {
  readonly seat: number;
  /** Segments of the seat before the first of this device. */
  readonly skip: number;
  readonly carryIn: Carry;
  /** Record id; absent where the trainer did not commit. */
  commit?: Hash;
  errorOut?: Hash;
  momentsOut?: Hash;
  engine?: string;
  update?: Hash;
  updateBytes?: number;
}

export type RoundEnd =
  | { readonly kind: 'finalized'; readonly entry: number; readonly header: Hash; readonly content: Header }
  | { readonly kind: 'void'; readonly entry: number; readonly reason: string };

export interface RoundFile {
  readonly number: number;
  readonly base: Hash;
  /** The base before it. */
  readonly previous: Hash;
  readonly seed: Hash;
  /** Entry that began it. */
  readonly entry: number;
  readonly seats: Map<DeviceId, SeatFile>;
  witnesses: readonly DeviceId[];
  included: readonly DeviceId[];
  /** Who signed which header, in the order of the log. */
  readonly signed: { device: DeviceId; header: Hash; record: Hash }[];
  readonly settlements: Settlement[];
  end?: RoundEnd;
}

export class RoundFiles {
  /** Rounds that have begun. */
  readonly all = new Map<number, RoundFile>();

  observe({ entry, events }: Told, state: State): void {
    const { body, id } = entry.record;
    const refused = events.some((event) => event.kind === 'rejected');
    const open = this.all.get(body.round);
    if (open && !refused && body.kind === 'header')
      open.signed.push({ device: body.device, header: headerId(body.header), record: id });
    if (open && !refused && body.kind === 'commit') {
      const { momentsOut, errorOut, engine } = body;
      Object.assign(open.seats.get(body.device)!, { commit: id, momentsOut, errorOut, engine });
    }
    for (const event of events) {
      if (event.kind === 'assigned') this.#begin(event, entry.index, state);
      const file = 'round' in event ? this.all.get(event.round) : undefined;
      if (event.kind === 'settled' || event.kind === 'amended')
        this.all.get(event.settlement.round)?.settlements.push(event.settlement);
      if (!file) continue;
      if (event.kind === 'handed-over') {
        const { seat, skip, carryIn } = state.round.seats[event.standIn]!;
        file.seats.set(event.standIn, { seat, skip, carryIn });
      }
      if (event.kind === 'revealed') {
        const { update, updateBytes } = event;
        Object.assign(file.seats.get(event.device)!, { update, updateBytes });
      }
      if (event.kind === 'redrawn') file.witnesses = event.witnesses;
      if (event.kind === 'included') file.included = event.trainers;
      if (event.kind === 'finalized')
        file.end = { kind: 'finalized', entry: entry.index, header: event.header, content: event.content };
      if (event.kind === 'void') file.end = { kind: 'void', entry: entry.index, reason: event.reason };
    }
  }

  /** The base that stood when `rounds` rounds were finished is the last one here; the first is the charter's. */
  bases(initial: Hash): { base: Hash; round: number | undefined }[] {
    const bases: { base: Hash; round: number | undefined }[] = [{ base: initial, round: undefined }];
    for (const { number, end } of this.all.values())
      if (end?.kind === 'finalized') bases.push({ base: end.content.nextBase, round: number });
    return bases;
  }

  #begin(
    event: { round: number; trainers: readonly DeviceId[]; witnesses: readonly DeviceId[] },
    entry: number,
    state: State,
  ): void {
    const { round } = state;
    const seats = event.trainers.map((device): [DeviceId, SeatFile] => {
      const { seat, skip, carryIn } = round.seats[device]!;
      return [device, { seat, skip, carryIn }];
    });
    this.all.set(event.round, {
      number: event.round,
      base: state.base,
      previous: state.previous,
      seed: round.seed,
      entry,
      seats: new Map(seats),
      witnesses: event.witnesses,
      included: [],
      signed: [],
      settlements: [],
    });
  }
}
