/** What a member is doing, read off the state, in a few words. */
import type { DeviceId } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';

export function memberState(state: State, device: DeviceId): string {
  const { round } = state;
  const member = state.members[device]!;
  if (member.banned) return 'banned';
  if (member.revoked) return 'revoked';
  if (!member.ready) return 'away';
  const seat = round.seats[device];
  switch (round.phase) {
    case 'open':
      return 'ready';
    case 'train':
      if (!seat) return 'waiting for the next round';
      return seat.commit ? 'committed' : 'training';
    case 'reveal':
      return seat?.update ? 'revealed' : 'revealing';
    case 'witness':
      if (!round.witnesses.includes(device)) return 'waiting for witnesses';
      return round.attested[device] ? 'attested' : 'witnessing';
    case 'finalize':
      if (!state.electors.includes(device)) return 'waiting for electors';
      return round.signed[device] ? 'signed' : 'aggregating';
    case 'seal':
      if (!state.electors.includes(device)) return 'waiting for electors';
      return round.sealed.includes(device) ? 'sealed' : 'sealing';
  }
}

/** What the run is doing in a round: goes after its number. */
export const PHASES: Readonly<Record<State['round']['phase'], string>> = {
  open: 'waits for members',
  train: 'is training',
  reveal: 'is revealing updates',
  witness: 'is checking updates',
  finalize: 'is computing the next base',
  seal: 'is sealing the next base',
};
