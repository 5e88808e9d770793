/** Keys: an account (secp256k1, an EVM address) vouches for devices (Ed25519, also the peer id). */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '#crypto';
import { concat, fromHex, toHex, utf8 } from './bytes.ts';
import type { Hash } from './hash.ts';
import { answered } from './signature-memo.ts';

/** Ed25519 public key, 64 lower-case hexadecimal digits. */
export type DeviceId = string;
/** EVM address: `0x` and 40 lower-case hexadecimal digits. */
export type AccountId = string;
/** Ed25519 signature, 128 lower-case hexadecimal digits. */
export type Signature = string;

export interface DeviceKey {
  readonly id: DeviceId;
  readonly secret: Uint8Array;
}

export interface AccountKey {
  readonly id: AccountId;
  readonly secret: Uint8Array;
}

/** The device key of a 32-byte secret. */
export function deviceKey(secret: Uint8Array): DeviceKey {
  return { id: toHex(ed25519PublicKey(secret)), secret };
}

export function signBytes(key: DeviceKey, message: Uint8Array): Signature {
  return toHex(ed25519Sign(key.secret, message));
}

/** False, never a throw, for anything malformed. */
export function verifyBytes(device: DeviceId, message: Uint8Array, signature: Signature): boolean {
  if (!/^[0-9a-f]{64}$/.test(device) || !/^[0-9a-f]{128}$/.test(signature)) return false;
  return answered(device, signature, message, () => ed25519Verify(fromHex(device), message, fromHex(signature)));
}

/** The account key of a 32-byte secret. Throws where the secret is zero or beyond the curve's order. */
export function accountKey(secret: Uint8Array): AccountKey {
  return { id: addressOf(secp256k1.getPublicKey(secret, false)), secret };
}

/**
 * EIP-712 digest of `Device(string device,bytes32 run)` in the domain `Folkmoot`, version 1: what a wallet shows and
 * signs when it admits a device to a run.
 */
export function deviceVouchDigest(device: DeviceId, run: Hash): Uint8Array {
  return typedDigest('Device', device, run);
}

/** The same of `Revocation(string device,bytes32 run)`: what disowns a device. */
export function deviceRevocationDigest(device: DeviceId, run: Hash): Uint8Array {
  return typedDigest('Revocation', device, run);
}

function typedDigest(type: 'Device' | 'Revocation', device: DeviceId, run: Hash): Uint8Array {
  const domain = keccak_256(
    concat([
      keccak_256(utf8('EIP712Domain(string name,string version)')),
      keccak_256(utf8('Folkmoot')),
      keccak_256(utf8('1')),
    ]),
  );
  const message = keccak_256(
    concat([keccak_256(utf8(`${type}(string device,bytes32 run)`)), keccak_256(utf8(device)), fromHex(run)]),
  );
  return keccak_256(concat([Uint8Array.of(0x19, 0x01), domain, message]));
}

/** The account's signature over `deviceVouchDigest`: r, s and v as 130 hexadecimal digits, as wallets give it. */
export function vouchForDevice(key: AccountKey, device: DeviceId, run: Hash): string {
  return signDigest(key, deviceVouchDigest(device, run));
}

/** The account that signed, or `undefined` where the signature is malformed. */
export function vouchingAccount(device: DeviceId, run: Hash, signature: string): AccountId | undefined {
  return recoverAccount(deviceVouchDigest(device, run), signature);
}

/** The account's signature over `deviceRevocationDigest`. */
export function revokeDevice(key: AccountKey, device: DeviceId, run: Hash): string {
  return signDigest(key, deviceRevocationDigest(device, run));
}

/** The account that disowned the device, or `undefined` where the signature is malformed. */
export function revokingAccount(device: DeviceId, run: Hash, signature: string): AccountId | undefined {
  return recoverAccount(deviceRevocationDigest(device, run), signature);
}

function signDigest(key: AccountKey, digest: Uint8Array): string {
  const recovered = secp256k1.sign(digest, key.secret, { prehash: false, format: 'recovered' });
  return toHex(concat([recovered.subarray(1), Uint8Array.of(27 + recovered[0]!)]));
}

function recoverAccount(digest: Uint8Array, signature: string): AccountId | undefined {
  if (!/^[0-9a-f]{130}$/.test(signature)) return undefined;
  return answered('account', signature, digest, () => recovered(digest, fromHex(signature)));
}

function recovered(digest: Uint8Array, signature: Uint8Array): AccountId | undefined {
  try {
    const bytes = concat([Uint8Array.of(signature[64]! - 27), signature.subarray(0, 64)]);
    const point = secp256k1.recoverPublicKey(bytes, digest, { prehash: false });
    return addressOf(secp256k1.Point.fromBytes(point).toBytes(false));
  } catch {
    return undefined;
  }
}

function addressOf(uncompressed: Uint8Array): AccountId {
  return `0x${toHex(keccak_256(uncompressed.subarray(1)).subarray(12))}`;
}
