/** The findings of `doctor --network` on one screen. */
import { oneLine } from '../ui/width.ts';
import type { DoorFinding, NetworkFindings } from './network-findings.ts';

const ROUTERS: Readonly<Record<NetworkFindings['router'], string>> = {
  none: 'none: the internet sees this machine’s own address',
  'keeps-ports': 'one that keeps port numbers: members behind such routers can meet',
  'changes-ports': 'one that changes port numbers: meeting members behind other routers will fail',
  present: 'one; whether it keeps port numbers is not known',
  unknown: 'not known: nobody on another machine could be asked',
};

const UPNP: Readonly<Record<NetworkFindings['upnp'], string>> = {
  'not-asked': 'not asked; --upnp asks the router',
  works: 'the router gave a port',
  'no-answer': 'no router answered',
};

export function networkLines(findings: NetworkFindings): string[] {
  const { listening, ipv4, ipv6, seenFrom, reachable, reachableAt, router, relayed, upnp, doors, problems } = findings;
  const reach = reachable === undefined ? 'not known' : reachable ? `yes, at ${reachableAt.join(' ')}` : 'no';
  const rows: [string, string][] = [
    ['listening', `port ${listening.port}${listening.note ? ` (${listening.note})` : ''}`],
    ['addresses', `IPv4 ${ipv4}, IPv6 ${ipv6}`],
    ['seen from', seenFrom ?? 'not known'],
    ['reachable', reach],
    ['router', ROUTERS[router]],
    ['relays', relayed.length === 0 ? 'none keeps a place' : `${relayed.length} keep a place`],
    ['UPnP', UPNP[upnp]],
  ];
  return [
    ...rows.map(([name, text]) => `${name.padEnd(11)}${oneLine(text)}`),
    ...(doors.length > 0 ? ['', 'Doors'] : []),
    ...doors.map((door) => `  ${oneLine(doorText(door))}`),
    '',
    ...(problems.length === 0 ? ['Nothing to mend.'] : ['To mend']),
    ...problems.flatMap(({ problem, help }) => [`  ${oneLine(problem)}`, `    ${oneLine(help)}`]),
  ];
}

function doorText({ address, way, connectMs, reason, clockAheadMs }: DoorFinding): string {
  const place = address.replace(/\/p2p\/([A-Za-z0-9]{4})[A-Za-z0-9]*([A-Za-z0-9]{4})/g, '/p2p/$1…$2');
  if (way === undefined) return `shut    ${place}: ${reason}`;
  const clock =
    clockAheadMs === undefined
      ? ''
      : `, clock ${clockAheadMs >= 0 ? '+' : '−'}${(Math.abs(clockAheadMs) / 1000).toFixed(1)} s`;
  return `${way.padEnd(8)}${place}: ${connectMs} ms${clock}`;
}
