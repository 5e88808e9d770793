/** From what a person types to a member: a name, or the first digits of a device or an account. */
import { type DeviceId, WorldError } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { namesOf } from './names.ts';

/** Fewer digits may be a name. */
const SHORTEST_PREFIX = 4;

/** Devices that `text` may mean: names first, then ids. Empty where there is none. */
export function membersNamed(members: State['members'], text: string): DeviceId[] {
  const named = Object.keys(members).filter((device) => members[device]!.name === text);
  if (named.length > 0) return named;
  const digits = text.toLowerCase();
  if (digits.length < SHORTEST_PREFIX) return [];
  return Object.keys(members).filter((device) => {
    const { account } = members[device]!;
    return device.startsWith(digits) || account.startsWith(digits) || account.startsWith(`0x${digits}`);
  });
}

/** The one member that `text` means. Throws `no-such-member`, `member-ambiguous`. */
export function findMember(members: State['members'], text: string): DeviceId {
  const found = membersNamed(members, text);
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new WorldError('member-ambiguous', `More than one device is meant by "${text}".`, {
      facts: { devices: found.map((device) => device.slice(0, 16)).join(', ') },
      help: 'Give the first digits of the device.',
    });
  throw new WorldError('no-such-member', `No member of this run is called "${text}".`, {
    facts: { members: memberList(members) },
    help: 'Give a name, or at least four of the first digits of a device or an account.',
  });
}

/** `ana, ben`; for facts of errors. */
export function memberList(members: State['members']): string {
  return Object.keys(members).map(namesOf(members)).join(', ') || 'none yet';
}
