/**
 * The protocol's arithmetic once more, written from docs/protocol.md over Node's own functions.
 *
 * Checkers use this and nothing of `core`, `records` or `protocol` that computes, so that a mistake there is not repeated
 * here. Slow and obvious.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

export function sha(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `hashOf(domain, part…)`: each part behind its length. */
export function hashParts(...parts: (string | number)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(String(part), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

/** RFC 8785 for what records hold: integers, texts, booleans, null, lists, objects without what is undefined. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const holder = value as Record<string, unknown>;
  let text = '';
  for (const name of Object.keys(holder).sort())
    if (holder[name] !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonical(holder[name])}`;
  return `{${text}}`;
}

export function merkle(hashes: readonly string[]): string {
  let level = hashes.map((hash) => node(0, hash));
  while (level.length > 1) {
    const next: string[] = [];
    for (let i = 0; i < level.length; i += 2)
      next.push(i + 1 < level.length ? node(1, level[i]!, level[i + 1]!) : level[i]!);
    level = next;
  }
  return hashParts('merkle-root', hashes.length, level[0] ?? hashParts('merkle-empty'));
}

/** The root that a proof gives for leaf `index` of `count`; `undefined` where the proof has another length. */
export function rootOfProof(
  count: number,
  index: number,
  leaf: string,
  proof: readonly (string | null)[],
): string | undefined {
  let at = index;
  let width = count;
  let hash = node(0, leaf);
  for (const sibling of proof) {
    const isLast = at === width - 1 && at % 2 === 0;
    if (width === 1 || (sibling === null) !== isLast) return undefined;
    if (sibling !== null) hash = at % 2 === 0 ? node(1, hash, sibling) : node(1, sibling, hash);
    at >>= 1;
    width = (width + 1) >> 1;
  }
  return width === 1 ? hashParts('merkle-root', count, hash) : undefined;
}

/** The stream of integers of a seed: sha-256 of the seed and a counter. */
export function numbersOf(seed: string): (bound: number) => number {
  let counter = 0n;
  let block: Buffer = Buffer.alloc(0);
  const next = () => {
    if (block.length === 0) {
      const count = Buffer.alloc(8);
      count.writeBigUInt64BE(counter++);
      block = createHash('sha256').update(Buffer.from(seed, 'hex')).update(count).digest();
    }
    const value = block.readUInt32BE(0);
    block = block.subarray(4);
    return value;
  };
  return (bound) => {
    const limit = Math.floor(2 ** 32 / bound) * bound;
    for (;;) {
      const value = next();
      if (value < limit) return value % bound;
    }
  };
}

const keys = new Map<string, KeyObject>();

/** Whether `signature` is the Ed25519 signature of `message` by `device`. */
export function isSigned(device: string, message: string, signature: string): boolean {
  let key = keys.get(device);
  if (!key) {
    key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(device, 'hex').toString('base64url') },
      format: 'jwk',
    });
    keys.set(device, key);
  }
  return verify(null, Buffer.from(message, 'utf8'), key, Buffer.from(signature, 'hex'));
}

/** Devices by the hash of words and their id, ascending. */
export function ranked(devices: readonly string[], ...words: (string | number)[]): string[] {
  const place = new Map(devices.map((device) => [device, hashParts(...words, device)]));
  return [...devices].sort((a, b) => (place.get(a)! < place.get(b)! ? -1 : 1));
}

function node(tag: number, ...hashes: string[]): string {
  return sha(Buffer.concat([Buffer.of(tag), ...hashes.map((hash) => Buffer.from(hash, 'hex'))]));
}
