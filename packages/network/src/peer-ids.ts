/** A device's Ed25519 key under its two names: our hexadecimal id and libp2p's peer id. */

import { type DeviceId, fromHex, toHex } from '@folkmoot/core';
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';

/** libp2p's form of a device key; `secret` is its 32 bytes. */
export function libp2pKey(secret: Uint8Array): Promise<Ed25519PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', secret);
}

export function peerIdOf(device: DeviceId): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(fromHex(device)));
}

/** `undefined` for a peer whose key is of another kind: it cannot be a device. */
export function deviceOf(peer: PeerId): DeviceId | undefined {
  return peer.type === 'Ed25519' ? toHex(peer.publicKey.raw) : undefined;
}
