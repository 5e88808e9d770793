/** The errors that `Network` and `Store` promise, made in one place so that the simulator and the real ones say the same. */
import { WorldError } from './errors.ts';
import type { Hash } from './hash.ts';
import type { DeviceId } from './keys.ts';
import { formatBytes, formatDuration, shortId } from './units.ts';

/** The peer cannot be dialled, or the connection to it broke. `where` is an address or a device id. */
export function peerUnreachable(where: string, reason: string, cause?: unknown): WorldError {
  return new WorldError('peer-unreachable', `Peer ${where} cannot be reached: ${reason}.`, {
    facts: { peer: where, reason },
    help: 'Check that its node runs, that the address is right and that no firewall is between; then try again.',
    cause,
  });
}

/** Nothing arrived for `idleMs`, though the connection stands. */
export function peerSilent(peer: DeviceId, protocol: string, idleMs: number): WorldError {
  return new WorldError('peer-silent', `Peer ${shortId(peer)} sent nothing for ${formatDuration(idleMs)}.`, {
    facts: { peer, protocol, idleMs },
    help: 'Ask another peer, or this one again later.',
  });
}

/** The peer serves this protocol but has as many exchanges with this device as it allows. */
export function peerBusy(peer: DeviceId, protocol: string): WorldError {
  return new WorldError('peer-busy', `Peer ${shortId(peer)} serves no more exchanges of ${protocol} at once.`, {
    facts: { peer, protocol },
    help: 'Wait until one of the running exchanges ends.',
  });
}

/** The peer ended the exchange before its answer was whole. */
export function peerFailed(peer: DeviceId, protocol: string): WorldError {
  return new WorldError('peer-failed', `Peer ${shortId(peer)} broke off its answer to ${protocol}.`, {
    facts: { peer, protocol },
    help: 'Ask another peer; the reason stands in the log of the peer.',
  });
}

/** A message above the limit of the side that reads it; `sizeBytes` as declared, before anything was allocated. */
export function messageTooLarge(peer: DeviceId, protocol: string, sizeBytes: number, maxBytes: number): WorldError {
  return new WorldError(
    'message-too-large',
    `A message of ${protocol} has ${formatBytes(sizeBytes)}; at most ${formatBytes(maxBytes)} are taken.`,
    { facts: { peer, protocol, sizeBytes, maxBytes }, help: 'Ask another peer; this one breaks the protocol.' },
  );
}

export function protocolUnknown(peer: DeviceId, protocol: string): WorldError {
  return new WorldError('protocol-unknown', `Peer ${shortId(peer)} does not serve ${protocol}.`, {
    facts: { peer, protocol },
    help: 'The peer may run another version, or be in another role.',
  });
}

export function artifactMissing(id: Hash): WorldError {
  return new WorldError('artifact-missing', `Artifact ${shortId(id)} is not in the store.`, {
    facts: { artifact: id },
    help: 'Fetch it from a peer.',
  });
}

/** The stored bytes no longer have their hash; `keptAt` is where they were set aside. */
export function artifactCorrupt(id: Hash, keptAt: string): WorldError {
  return new WorldError('artifact-corrupt', `Artifact ${shortId(id)} was damaged on disk and is set aside.`, {
    facts: { artifact: id, keptAt },
    help: 'Fetch it again from a peer. If this happens more than once, check the disk.',
  });
}

/** The bytes that arrived are more than were announced. */
export function artifactOversized(id: Hash, sizeBytes: number): WorldError {
  return new WorldError(
    'artifact-oversized',
    `More than the announced ${formatBytes(sizeBytes)} of ${shortId(id)} came.`,
    {
      facts: { artifact: id, sizeBytes },
      help: 'Fetch it from another peer.',
    },
  );
}

/** The store's own limit is reached. */
export function storeFull(neededBytes: number, usedBytes: number, maxBytes: number): WorldError {
  return new WorldError(
    'store-full',
    `The store holds ${formatBytes(usedBytes)} of ${formatBytes(maxBytes)}; ${formatBytes(neededBytes)} more do not fit.`,
    {
      facts: { neededBytes, usedBytes, maxBytes },
      help: 'Raise the limit (--store-limit), or give none.',
    },
  );
}

/** The file system has no room. `freeBytes` is -1 where it cannot be told. */
export function diskFull(path: string, neededBytes: number, freeBytes: number, cause?: unknown): WorldError {
  return new WorldError('disk-full', `The disk is full: ${formatBytes(neededBytes)} could not be written to ${path}.`, {
    facts: { path, neededBytes, freeBytes },
    help: 'Free some space on that disk and run the same command again; what was finished is kept.',
    cause,
  });
}
