/** Where members of a run were last heard of, as this home remembers it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeviceId, fromUtf8 } from '@folkmoot/core';
import { loopbackLast } from '../run/loopback-last.ts';
import type { OpenRun } from './open-run.ts';

/** Those of `first`, then this home's own, then the other members', then the invite's, which may be years old; no duplicates. */
export async function knownAddresses(run: OpenRun, first?: DeviceId): Promise<string[]> {
  const { note } = run;
  const peers = await readPeers(run);
  const isFirst = ({ device }: { device: DeviceId }) => device === first;
  const addresses = [
    ...peers.filter(isFirst).flatMap((peer) => loopbackLast(peer.addresses)),
    ...loopbackLast(note.addresses),
    ...peers.filter((peer) => !isFirst(peer)).flatMap((peer) => loopbackLast(peer.addresses)),
    ...note.doors,
  ];
  return [...new Set(addresses)];
}

/** The cell that a member keeps. Damaged or of another version: as good as empty, since the invite's doors remain. */
async function readPeers({ folder }: OpenRun): Promise<{ device: DeviceId; addresses: string[] }[]> {
  const bytes = await readFile(join(folder.cells, 'peers')).catch(() => undefined);
  try {
    return JSON.parse(fromUtf8(bytes ?? new Uint8Array(0))) as { device: DeviceId; addresses: string[] }[];
  } catch {
    return [];
  }
}
