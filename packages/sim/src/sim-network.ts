/** The simulated internet: delays, losses, cuts and crashes, all drawn from one seed. */
import {
  assert,
  type DeviceId,
  type ExchangeLimits,
  type Handler,
  type Network,
  peerUnreachable,
  type Random,
  type ServeLimits,
} from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';
import { type ExchangeEnd, type Service, SimExchange } from './sim-exchange.ts';
import { Life } from './sim-life.ts';
import { Air, type Conditions, type Cut, GOOD_CONDITIONS, SimLink } from './sim-link.ts';

const DIAL_TIMEOUT_MS = 10_000;
/** A cut connection is noticed after this long, and up to as long again. */
const NOTICE_CUT_MS = 10_000;
/** How long a repeated request is served. */
const REPETITION_LASTS_MS = 3000;
const ADDRESS_PREFIX = 'sim:';

/** Where simulated devices meet. */
export class SimNetwork {
  readonly #air: Air;
  readonly #members = new Map<DeviceId, SimMember>();
  readonly #links = new Map<string, SimLink>();
  readonly #hosts = new Map<DeviceId, string>();
  /** What handlers threw. The real network tells its owner; a test should find this empty. */
  readonly handlerErrors: { device: DeviceId; protocol: string; error: unknown }[] = [];

  /** Conditions left out are those of `GOOD_CONDITIONS`. */
  constructor(clock: SimClock, random: Random, conditions: Partial<Conditions> = {}) {
    this.#air = new Air(clock, random, { ...GOOD_CONDITIONS, ...conditions });
  }

  /** Hash of all that arrived so far, in order, with its time: equal for equal seeds. */
  get traceHash(): string {
    return this.#air.traceHash;
  }

  get conditions(): Conditions {
    return this.#air.conditions;
  }

  change(conditions: Partial<Conditions>): void {
    this.#air.conditions = { ...this.#air.conditions, ...conditions };
  }

  /** The network of `device` for one life. A device joins again after `crash` or `close`. */
  join(device: DeviceId, life: Life = new Life()): Network {
    assert(!this.#members.has(device), `${device} is on the network already`);
    const member = new SimMember(this, this.#air, device, life);
    this.#members.set(device, member);
    return member;
  }

  /** SIGKILL, or the plug pulled: nothing more comes from the device, and its code stops where it waits. */
  crash(device: DeviceId): void {
    this.#members.get(device)?.life.end();
    this.leave(device);
  }

  /** Takes the device off; the others notice after one delay. */
  leave(device: DeviceId): void {
    if (this.#members.delete(device)) this.#air.note('leave', device);
    for (const [name, link] of this.#links) {
      if (!link.ends.includes(device)) continue;
      this.#links.delete(name);
      this.#air.clock.schedule(this.#air.delayMs(), () => link.close());
    }
  }

  /** Devices of one group hear only each other from now on; those in no group stay together. */
  partition(...groups: (readonly DeviceId[])[]): void {
    const sides = new Map(groups.flatMap((group, side) => group.map((device) => [device, side] as const)));
    this.#air.note('partition', ...groups.map(String));
    this.cut('partition', (from, to) => sides.get(from) !== sides.get(to));
  }

  /** Lets nothing through where `isCut`, until `mend(name)`. A connection that stays cut is given up in the end. */
  cut(name: string, isCut: Cut): void {
    this.#air.note('cut', name);
    this.#air.cuts.set(name, isCut);
    for (const link of this.#links.values()) {
      if (!link.cut) continue;
      this.#air.clock.schedule(NOTICE_CUT_MS + (this.#air.random.uint32() % NOTICE_CUT_MS), () => {
        if (link.cut) this.#drop(link);
      });
    }
  }

  /** Ends one cut; what it held back arrives, unless its connection was given up meanwhile. */
  mend(name: string): void {
    this.#air.note('mend', name);
    this.#air.cuts.delete(name);
    for (const link of this.#links.values()) link.release();
  }

  /** Ends every cut. */
  heal(): void {
    this.#air.note('heal');
    this.#air.cuts.clear();
    for (const link of this.#links.values()) link.release();
  }

  /** Gives `device` a thin line: what it can send, bytes per millisecond; `undefined` for an ordinary one. */
  slowDown(device: DeviceId, bytesPerMs: number | undefined): void {
    if (bytesPerMs === undefined) this.#air.slowLines.delete(device);
    else this.#air.slowLines.set(device, bytesPerMs);
  }

  member(device: DeviceId): SimMember | undefined {
    return this.#members.get(device);
  }

  link(a: DeviceId, b: DeviceId): SimLink | undefined {
    return this.#links.get(linkName(a, b));
  }

  /** Connects two members. */
  connect(a: SimMember, b: SimMember): void {
    const link = new SimLink(this.#air, a.id, b.id);
    this.#links.set(linkName(a.id, b.id), link);
    this.#air.note('connect', a.id, b.id);
    a.attach(b.id, link);
    b.attach(a.id, link);
  }

  /** Puts a device where others may be too; by itself each is at a place of its own. */
  place(device: DeviceId, host: string): void {
    this.#hosts.set(device, host);
  }

  hostOf(device: DeviceId): string {
    return this.#hosts.get(device) ?? `place of ${device}`;
  }

  disconnect(a: DeviceId, b: DeviceId): void {
    const link = this.link(a, b);
    if (link) this.#drop(link);
  }

  #drop(link: SimLink): void {
    if (this.#links.get(linkName(...link.ends)) === link) this.#links.delete(linkName(...link.ends));
    link.close();
  }
}

/** `Network` for one life of one device. */
class SimMember implements Network {
  readonly id: DeviceId;
  readonly life: Life;
  readonly #counted = { sentBytes: 0, receivedBytes: 0 };
  readonly #hub: SimNetwork;
  readonly #air: Air;
  readonly #services = new Map<string, Service>();
  readonly #links = new Map<DeviceId, Set<SimLink>>();
  readonly #watchers = new Set<(peer: DeviceId, connected: boolean) => void>();
  #closed = false;

  constructor(hub: SimNetwork, air: Air, id: DeviceId, life: Life) {
    this.#hub = hub;
    this.#air = air;
    this.id = id;
    this.life = life;
  }

  get self(): DeviceId {
    return this.id;
  }

  get counters(): { sentBytes: number; receivedBytes: number } {
    return this.#counted;
  }

  addresses(): string[] {
    return [ADDRESS_PREFIX + this.id];
  }

  connect(address: string, signal?: AbortSignal): Promise<DeviceId> {
    return this.life.attempt(() => this.#dial(address, signal));
  }

  peers(): DeviceId[] {
    return [...this.#links.keys()];
  }

  watchPeers(listener: (peer: DeviceId, connected: boolean) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  hostOf(peer: DeviceId): string | undefined {
    return this.#links.has(peer) ? this.#hub.hostOf(peer) : undefined;
  }

  disconnect(peer: DeviceId): void {
    this.#hub.disconnect(this.id, peer);
  }

  serve(protocol: string, handler: Handler, limits: ServeLimits): void {
    assert(!this.#services.has(protocol), `${protocol} is served once`);
    const onError = (error: unknown) => this.#hub.handlerErrors.push({ device: this.id, protocol, error });
    this.#services.set(protocol, { handler, ...limits, onError, running: new Map() });
  }

  async *open(
    peer: DeviceId,
    protocol: string,
    request: Uint8Array,
    limits: ExchangeLimits,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const exchange = await this.life.attempt(async () => this.#begin(peer, protocol, request, limits));
    try {
      for (;;) {
        const message = await this.life.attempt(() => exchange.take(signal));
        if (!message) return;
        yield message;
      }
    } finally {
      if (!this.life.over) exchange.hangUp();
    }
  }

  traffic(): { sentBytes: number; receivedBytes: number } {
    return { ...this.#counted };
  }

  async close(): Promise<void> {
    if (this.#closed || this.life.over) return;
    this.#closed = true;
    this.#hub.leave(this.id);
    for (const links of [...this.#links.values()]) for (const link of links) link.close();
  }

  service(protocol: string): Service | undefined {
    return this.#services.get(protocol);
  }

  attach(peer: DeviceId, link: SimLink): void {
    const links = this.#links.get(peer) ?? new Set();
    this.#links.set(peer, links);
    links.add(link);
    link.onClose(() => {
      links.delete(link);
      if (links.size > 0) return;
      this.#links.delete(peer);
      this.#tell(peer, false);
    });
    if (links.size === 1) this.#tell(peer, true);
  }

  #tell(peer: DeviceId, connected: boolean): void {
    this.life.whenAwake(() => {
      for (const watcher of [...this.#watchers]) watcher(peer, connected);
    });
  }

  async #dial(address: string, signal?: AbortSignal): Promise<DeviceId> {
    signal?.throwIfAborted();
    if (this.#closed) throw peerUnreachable(address, 'this node is closed');
    const device = address.slice(ADDRESS_PREFIX.length);
    if (!address.startsWith(ADDRESS_PREFIX)) throw peerUnreachable(address, 'the address is not one of this network');
    if (device === this.id) throw peerUnreachable(address, 'the address is that of this device');
    const { clock, conditions } = this.#air;
    const isLost = this.#air.happens(conditions.loss);
    const isCut = () => this.#air.isCut(this.id, device) || this.#air.isCut(device, this.id);
    await clock.sleep(isLost || isCut() ? DIAL_TIMEOUT_MS : 2 * this.#air.delayMs(), signal);
    const other = this.#hub.member(device);
    if (!other || isLost || isCut()) throw peerUnreachable(address, 'nobody answers there');
    if (this.#closed || this.life.over) throw peerUnreachable(address, 'this node is closed');
    if (!this.#hub.link(this.id, device)?.open) this.#hub.connect(this, other);
    return device;
  }

  #begin(peer: DeviceId, protocol: string, request: Uint8Array, limits: ExchangeLimits): SimExchange {
    const link = this.#hub.link(this.id, peer);
    const server = this.#hub.member(peer);
    if (this.#closed || !link?.open || !server) throw peerUnreachable(peer, 'not connected');
    const exchange = new SimExchange(link, endOf(this), endOf(server), protocol, limits);
    exchange.request(request, () => server.service(protocol));
    if (this.#air.happens(this.#air.conditions.duplicate)) this.#repeat(link, server, protocol, request, limits);
    return exchange;
  }

  /** The same request once more, whose answer nobody waits for. */
  #repeat(link: SimLink, server: SimMember, protocol: string, request: Uint8Array, limits: ExchangeLimits): void {
    const again = new SimExchange(link, endOf(this), endOf(server), protocol, limits);
    again.request(request, () => server.service(protocol));
    this.#air.clock.schedule(REPETITION_LASTS_MS, () => again.hangUp());
  }
}

function endOf(member: SimMember): ExchangeEnd {
  return { id: member.id, life: member.life, traffic: member.counters };
}

function linkName(a: DeviceId, b: DeviceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
