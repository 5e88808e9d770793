/** `doctor --network`: listens as a member would, knocks at every door, and asks who opens what they see. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { type DeviceId, isPrivateAddress, isWorldError, LOOPBACK, placeOf } from '@folkmoot/core';
import { createNetwork, endpointOf, type Libp2pNetwork } from '@folkmoot/network';
import { askJson, dialledBackIn, MAX_DIALLED } from '@folkmoot/node';
import { parseInvite } from '@folkmoot/records';
import type { DoctorOptions } from '../commands/doctor.ts';
import type { Invocation } from '../invocation.ts';
import { parsePort } from '../run/door.ts';
import { currentRun } from '../run/run-folder.ts';
import { knownAddresses } from '../story/known-addresses.ts';
import { openRun } from '../story/open-run.ts';
import { type DoorFinding, judged, type NetworkFindings } from './network-findings.ts';
import { networkLines } from './network-lines.ts';

const MAX_DOORS = 16;
/** How long a relay or a router may take to give an address. */
const ADDRESS_MS = 6000;

export async function runNetworkDoctor(call: Invocation, options: DoctorOptions): Promise<void> {
  const findings = await examineNetwork(call, options);
  call.object(findings);
  for (const line of networkLines(findings)) call.say(line);
  if (!findings.canMeet) process.exitCode = 1;
}

async function examineNetwork(call: Invocation, options: DoctorOptions): Promise<NetworkFindings> {
  const { doors, port } = await whereToKnock(call.home, options);
  const { network, note } = await listening(port, options.upnp === true);
  try {
    call.note(`knocking at ${doors.length} ${doors.length === 1 ? 'door' : 'doors'} …`);
    const found: (DoorFinding & { device?: DeviceId })[] = [];
    for (const address of doors) found.push(await knock(network, address, call.stopSignal()));
    await untilAddressed(network, options.upnp === true && found.length > 0);
    call.note('asking those who opened to dial back …');
    return judged(await asked(network, found, note, options.upnp === true));
  } finally {
    await network.close();
  }
}

async function whereToKnock(home: string, options: DoctorOptions): Promise<{ doors: string[]; port: number }> {
  const run = await currentRun(home).catch(() => undefined);
  const known =
    run &&
    (await openRun(home).then(
      (opened) => knownAddresses(opened),
      () => [...run.doors],
    ));
  const doors = options.invite === undefined ? (known ?? []) : [...parseInvite(options.invite).addresses];
  const port = options.port === undefined ? (run?.port ?? 0) : parsePort('--port', options.port);
  return { doors: doors.slice(0, MAX_DOORS), port };
}

/** With a key made for this alone, as a member would listen; at any port where a member has the usual one. */
async function listening(port: number, upnp: boolean): Promise<{ network: Libp2pNetwork; note?: string }> {
  const at = (chosen: number) =>
    createNetwork({
      secret: new Uint8Array(randomBytes(32)),
      listen: [`/ip4/0.0.0.0/tcp/${chosen}`, ...(hasIpv6() ? [`/ip6/::/tcp/${chosen}`] : [])],
      reach: { findsRelays: true, relays: false, upnp },
    });
  try {
    return { network: await at(port) };
  } catch (error) {
    if (port === 0 || !isWorldError(error, 'port-taken')) throw error;
    return { network: await at(0), note: `port ${port} is taken, perhaps by a member that runs; another was examined` };
  }
}

async function knock(
  network: Libp2pNetwork,
  address: string,
  signal: AbortSignal,
): Promise<DoorFinding & { device?: DeviceId }> {
  const startedMs = performance.now();
  try {
    const device = await network.connect(address, signal);
    return { address, device, way: network.wayTo(device), connectMs: Math.round(performance.now() - startedMs) };
  } catch (error) {
    signal.throwIfAborted();
    return { address, reason: isWorldError(error) ? String(error.facts.reason ?? error.message) : String(error) };
  }
}

async function untilAddressed(network: Libp2pNetwork, asksRouter: boolean): Promise<void> {
  const isRelayed = () => network.addresses().some((address) => address.includes('/p2p-circuit'));
  const isMapped = () => !asksRouter || network.addresses().some((address) => isPublic(address));
  for (let waitedMs = 0; waitedMs < ADDRESS_MS && !(isRelayed() && isMapped()); waitedMs += 200)
    await new Promise((resolve) => setTimeout(resolve, 200));
}

async function asked(
  network: Libp2pNetwork,
  found: readonly (DoorFinding & { device?: DeviceId })[],
  note: string | undefined,
  asksRouter: boolean,
): Promise<Parameters<typeof judged>[0]> {
  const addresses = network.addresses();
  const port = portOf(addresses);
  const cards = Object.values(networkInterfaces()).flatMap((card) => card ?? []);
  const own = cards.filter(({ internal }) => !internal);
  const answers = await Promise.all(
    found.map(async (door) => ({
      door,
      answer: door.device && (await dialBack(network, door.device, port, addresses)),
    })),
  );
  const told = answers.flatMap(({ answer }) => (answer ? [answer] : [])).filter(({ from }) => from !== LOOPBACK);
  const seenFrom = told.map(({ from }) => from).find((from) => !from.startsWith('relayed'));
  const reachableAt = [
    ...new Set(told.flatMap(({ reached }) => reached.filter(({ answers }) => answers).map((r) => r.address))),
  ];
  const isDirect = seenFrom !== undefined && own.some((card) => placeOf(card.address) === seenFrom);
  const kept = network.keepsPorts();
  const routed = kept === undefined ? 'present' : kept ? 'keeps-ports' : 'changes-ports';
  return {
    listening: { port, addresses, ...(note !== undefined && { note }) },
    ipv4: addressKind(own.filter(({ family }) => family === 'IPv4').map((card) => card.address)),
    ipv6: own.some((card) => card.family === 'IPv6' && !isPrivateAddress(card.address)) ? 'public' : 'none',
    ...(seenFrom !== undefined && { seenFrom, reachable: reachableAt.length > 0 }),
    reachableAt,
    router: seenFrom === undefined ? 'unknown' : isDirect ? 'none' : routed,
    relayed: addresses.filter((address) => address.includes('/p2p-circuit')),
    upnp: !asksRouter ? 'not-asked' : addresses.some(isPublic) ? 'works' : 'no-answer',
    doors: answers.map(({ door: { device: _device, ...door }, answer }) => ({
      ...door,
      ...(answer && { clockAheadMs: answer.clockAheadMs }),
    })),
  };
}

/** Asks a peer where it sees this node, and to try the port there. */
async function dialBack(network: Libp2pNetwork, peer: DeviceId, port: number, own: readonly string[]) {
  const ask = async (addresses: readonly string[]) => {
    const sentMs = Date.now();
    const answer = dialledBackIn(
      await askJson(network, peer, 'dial-back', { addresses: [...addresses] }).catch(() => undefined),
    );
    return answer && { ...answer, clockAheadMs: Math.round(answer.atMs - (sentMs + Date.now()) / 2) };
  };
  const first = await ask([]);
  if (!first || first.from.startsWith('relayed')) return first;
  const seen = first.from.includes(':') ? [] : [`/ip4/${first.from}/tcp/${port}`];
  const candidates = [...seen, ...own.filter((address) => endpointOf(address) && isPublic(address))];
  const second = await ask([...new Set(candidates)].slice(0, MAX_DIALLED));
  return { ...first, reached: second?.reached ?? [] };
}

function isPublic(address: string): boolean {
  const endpoint = endpointOf(address);
  return endpoint !== undefined && !isPrivateAddress(endpoint.host);
}

function addressKind(addresses: readonly string[]): 'public' | 'private' | 'none' {
  if (addresses.length === 0) return 'none';
  return addresses.some((address) => !isPrivateAddress(address)) ? 'public' : 'private';
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((card) =>
    card?.some(({ family, internal }) => family === 'IPv6' && !internal),
  );
}

function portOf(addresses: readonly string[]): number {
  return addresses.flatMap((address) => endpointOf(address) ?? [])[0]?.port ?? 0;
}
