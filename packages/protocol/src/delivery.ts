/** What members deliver in a round: commits, reveals, attestations, headers. */
import { blindOf, headerId, type RecordOf, type VerifiedRecord } from '@folkmoot/records';
import type { Context } from './events.ts';
import { isForestalled, rivalsOf } from './seat-rivals.ts';
import { isNextLink } from './seeds.ts';
import type { State } from './state.ts';
import { recounting, recountingAll } from './tally.ts';

export const commit = {
  check({ round, charter }: State, body: RecordOf<'commit'>): string | null {
    const seat = round.seats[body.device];
    if (round.phase !== 'train') return 'commits are not open';
    if (!seat || seat.seat !== body.seat) return 'this seat is another device’s';
    if (seat.commit) return 'this device has committed before';
    if (isForestalled(round, body.device)) return 'another has delivered the rows of this seat';
    if (body.momentsIn !== seat.carryIn.moments) return 'the moments are not those that the device carried';
    if (body.errorIn !== seat.carryIn.error) return 'the error memory is not the one that the device carried';
    if (charter.codec.kind === 'dense' && body.errorOut !== charter.zeroError)
      return 'the dense codec keeps no error memory';
    return null;
  },
  apply(state: State, { id, body }: VerifiedRecord<RecordOf<'commit'>>, context: Context): void {
    const { round } = state;
    const { traceRoot, blind, momentsOut, errorOut, engine, device } = body;
    // Nobody waits for the others on this seat any more.
    recountingAll(state, [device, ...rivalsOf(round, device)], () => {
      // Who was thought to have gone has shown that it has not.
      if (round.lapses[device]) state.members[device]!.ready = true;
      round.seats[device]!.commit = { id, traceRoot, blind, momentsOut, errorOut, engine };
    });
    context.events.push({ kind: 'committed', round: round.number, device });
  },
};

export const reveal = {
  check({ round, charter }: State, body: RecordOf<'reveal'>): string | null {
    const seat = round.seats[body.device];
    if (round.phase !== 'reveal') return 'reveals are not open';
    if (!seat?.commit) return 'this device has not committed';
    if (seat.update !== null) return 'this device has revealed before';
    if (blindOf(body.update, body.salt, body.device) !== seat.commit.blind)
      return 'the update is not the committed one';
    if (body.updateBytes > 2 * charter.parameters + 65_536) return 'the update is larger than any encoding';
    return null;
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'reveal'>>, context: Context): void {
    const { round } = state;
    const { device, update, updateBytes } = body;
    recounting(state, device, () => Object.assign(round.seats[device]!, { update, updateBytes }));
    context.events.push({ kind: 'revealed', round: round.number, device, update, updateBytes });
  },
};

export const attest = {
  check(state: State, body: RecordOf<'attest'>): string | null {
    const { round, members } = state;
    if (round.phase !== 'witness' || body.draw !== round.draw) return 'this witnessing is not open';
    if (!round.witnesses.includes(body.device)) return 'this device is not a witness';
    if (round.attested[body.device]) return 'this device has attested before';
    if (!isNextLink(state, body.device, body.preimage)) return 'the preimage is not the next of the chain';
    const own = members[body.device]!.account;
    const open = new Set(
      Object.entries(round.seats).flatMap(([device, seat]) =>
        seat.update && members[device]!.account !== own ? [seat.update] : [],
      ),
    );
    // Each update is taken out as it is found, so that a repeated one fails too.
    return body.updates.every((update) => open.delete(update))
      ? null
      : 'an attested update is not open to this witness';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'attest'>>): void {
    const { round, members } = state;
    recounting(state, body.device, () => {
      round.attested[body.device] = body.updates;
    });
    round.attestPreimages[body.device] = body.preimage;
    members[body.device]!.tip = body.preimage;
  },
};

export const header = {
  check(state: State, body: RecordOf<'header'>): string | null {
    const { round, electors } = state;
    if (round.phase !== 'finalize' || !round.expected) return 'this header is not open';
    if (!electors.includes(body.device)) return 'this device is not an elector';
    if (round.bound !== null && headerId(body.header) !== round.bound) return 'another header was signed before';
    if (round.signed[body.device]) return 'this device has signed before';
    if (!isNextLink(state, body.device, body.preimage)) return 'the preimage is not the next of the chain';
    const { aggregate: _aggregate, nextBase: _nextBase, ...decided } = body.header;
    return sameFields(decided, round.expected) ? null : 'the header does not continue this log';
  },
  apply({ round, members }: State, { body }: VerifiedRecord<RecordOf<'header'>>): void {
    const id = headerId(body.header);
    round.signed[body.device] = id;
    round.headers[id] = body.header;
    round.headerPreimages[body.device] = body.preimage;
    members[body.device]!.tip = body.preimage;
  },
};

export const seal = {
  check({ round, electors, lastHeader }: State, body: RecordOf<'seal'>): string | null {
    if (round.phase !== 'seal') return 'there is nothing to seal';
    if (body.header !== round.certified?.header || body.prev !== lastHeader) return 'another header was signed';
    if (!electors.includes(body.device)) return 'this device is not an elector';
    return round.sealed.includes(body.device) ? 'this device has sealed before' : null;
  },
  apply({ round }: State, { body }: VerifiedRecord<RecordOf<'seal'>>): void {
    round.sealed.push(body.device);
  },
};

function sameFields(a: Record<string, string | number>, b: Record<string, string | number>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
