/** What members are called: names are theirs to choose, so ids stand beside those that two share. */
import type { DeviceId } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { oneLine } from '../ui/width.ts';

const ID_DIGITS = 10;

/** Names by device, safe to print; with the device's first digits where they are empty or not unique. */
export function namesOf(members: State['members']): (device: DeviceId) => string {
  const counts = new Map<string, number>();
  for (const { name } of Object.values(members)) counts.set(oneLine(name), (counts.get(oneLine(name)) ?? 0) + 1);
  return (device) => {
    const name = oneLine(members[device]?.name ?? '');
    const digits = device.slice(0, ID_DIGITS);
    if (name === '') return digits;
    return counts.get(name) === 1 ? name : `${name} (${digits})`;
  };
}
