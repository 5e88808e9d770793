/** Whose process is at the other end of a connection on this machine: by `/proc`, on Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

/** A line of `/proc/net/tcp` that is in use: local address, remote address, state, …, inode. */
const LOCAL = 1;
const REMOTE = 2;
const INODE = 9;

/** Whether process `pid` holds the other end of `socket`, an IPv4 connection of this machine to itself. */
export function ownerOf(socket: Socket, pid: number | undefined): boolean {
  const inode = pid === undefined ? undefined : inodeOf(socket);
  if (inode === undefined) return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  } catch {
    // It ended meanwhile.
    return false;
  }
}

/** The inode of the other end: its local port is our remote one, and the other way round. */
function inodeOf({ remotePort, localPort }: Socket): string | undefined {
  const local = `:${hex(remotePort!)}`;
  const remote = `:${hex(localPort!)}`;
  for (const row of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const fields = row.trim().split(/\s+/);
    if (fields[LOCAL]?.endsWith(local) && fields[REMOTE]?.endsWith(remote)) return fields[INODE];
  }
  return undefined;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
