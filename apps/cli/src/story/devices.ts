/** `keys devices|add|revoke`: the machines of one account in a run. */
import { type DeviceId, isHash, revokeDevice, shortId, vouchForDevice, WorldError } from '@folkmoot/core';
import { formatVouch } from '@folkmoot/records';
import { type Identity, openIdentity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { bring } from '../run/bring.ts';
import { inviteTo } from './invite-line.ts';
import { memberState } from './member-state.ts';
import { openRun } from './open-run.ts';
import { Story } from './story.ts';

export async function listDevices(call: Invocation, run: string | undefined): Promise<void> {
  const { identity, story } = await open(call, run);
  const list = devicesOf(identity, story).map((device) => ({
    device,
    name: story.state.members[device]!.name,
    state: memberState(story.state, device),
    here: device === identity.device.id,
  }));
  call.object({ account: identity.account.id, run: story.state.run, devices: list });
  if (list.length === 0) call.say('This account has no device in the run.');
  for (const { device, name, state, here } of list)
    call.say(`${device}  ${state}  ${name}${here ? '  (this one)' : ''}`);
}

/** The account's word for a device elsewhere, and the command that uses it. */
export async function addDevice(call: Invocation, run: string | undefined, device: string): Promise<void> {
  const { identity, story } = await open(call, run);
  if (!isHash(device))
    throw new WorldError('bad-device', 'That is not a device.', {
      help: 'Give the 64 hexadecimal digits that "folkmoot keys" prints on the other machine.',
    });
  const { account } = identity;
  const vouch = vouchForDevice(account, device, story.state.run);
  const line = formatVouch({ run: story.state.run, account: account.id, device, vouch });
  const { invite } = await inviteTo(story);
  call.object({ account: account.id, device, run: story.state.run, vouch: line, invite });
  call.note(`On the machine with device ${shortId(device)}, run:`);
  call.say(`folkmoot join ${invite} --vouch ${line}`);
}

export async function revokeDeviceOf(call: Invocation, run: string | undefined, digits: string): Promise<void> {
  const { identity, story } = await open(call, run);
  const { account } = identity;
  const revoked = deviceNamed(digits, devicesOf(identity, story));
  if (revoked === identity.device.id)
    await call.confirm('This is the device of this very home, which will take no part in the run any more. Revoke it?');
  const signature = revokeDevice(account, revoked, story.state.run);
  await bring(story, 'revoke', { account: account.id, revoked, signature });
  call.object({ account: account.id, run: story.state.run, revoked });
  call.say(
    `Device ${shortId(revoked)} takes no part in ${story.run.charter.name} any more. Its credits stay with the account.`,
  );
}

async function open(call: Invocation, run: string | undefined): Promise<{ identity: Identity; story: Story }> {
  return { identity: await openIdentity(call.home), story: await Story.read(await openRun(call.home, run)) };
}

function devicesOf({ account }: Identity, { state }: Story): readonly DeviceId[] {
  return state.doors.accounts[account.id]?.devices ?? [];
}

/** By its digits or its first six and more. */
function deviceNamed(digits: string, devices: readonly DeviceId[]): DeviceId {
  const found = digits.length >= 6 ? devices.filter((device) => device.startsWith(digits)) : [];
  if (found.length === 1) return found[0]!;
  throw new WorldError('no-such-device', 'This account has no device in the run that starts with these digits.', {
    facts: { digits, devices: devices.map(shortId).join(' ') },
    help: 'See "folkmoot keys devices". A lost account key is taken from a backup first: "folkmoot keys restore FILE".',
  });
}
