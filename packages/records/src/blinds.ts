/** Hashes that hide a value until its owner shows it, and chains of them. */
import { type DeviceId, type Hash, hashLink, hashOf } from '@folkmoot/core';

/** What a commit shows of an update. The device is inside, so a copied commit cannot be revealed by the copier. */
export function blindOf(update: Hash, salt: Hash, device: DeviceId): Hash {
  return hashOf('blind', update, salt, device);
}

/** What an auditor's `result` shows of the state that it computed. */
export function resultOf(stateRoot: Hash, salt: Hash, device: DeviceId): Hash {
  return hashOf('audit-result', stateRoot, salt, device);
}

/** Links in a device's seed chain: two are shown in a round, so it lasts for half as many rounds. */
export const CHAIN_LENGTH = 8192;

/** Link `position` (0 is the secret end, `CHAIN_LENGTH` the tip that is announced). */
export function chainLink(secret: Hash, position: number): Hash {
  let link = secret;
  for (let i = 0; i < position; i++) link = hashLink(link);
  return link;
}
