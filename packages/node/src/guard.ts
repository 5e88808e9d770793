/**
 * The guard at this node's door: how much each peer, and each place, may ask; who behaved badly; who is banned for a while.
 *
 * Keys cost nothing, addresses do: so everything is counted for the device and for the place that it comes from. What is
 * on this machine is trusted with as much as it likes, since `up` runs all members here. Time comes from the clock that is
 * given; what is remembered is bounded.
 */
import { type Clock, type DeviceId, isWorldError, LOOPBACK, type Network } from '@folkmoot/core';
import { type Offence, Standing } from './standing.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

/** What one peer may ask, by protocol. An honest member of a run of hundreds stays far below. */
const RATES: Readonly<Record<string, Rate>> = {
  submit: { burst: 64, perSecond: 8 },
  log: { burst: 16, perSecond: 2 },
  artifact: { burst: 1024, perSecond: 64 },
  hello: { burst: 16, perSecond: 1 },
  plead: { burst: 16, perSecond: 0.5 },
  'dial-back': { burst: 4, perSecond: 0.1 },
  http: { burst: 256, perSecond: 32 },
};
const OTHER: Rate = { burst: 128, perSecond: 16 };
/** Members that share a router ask together. */
const PEERS_AT_ONE_PLACE = 8;
/** Newcomers without a ticket, from one place: a classroom at once, then one a minute. */
const JOINS: Rate = { burst: 16, perSecond: 1 / 60 };

const BAN_DEVICE_AT = 100;
/** Three devices that were banned, or as much from many: then the place is. */
const BAN_PLACE_AT = 300;
/** A peer with this burden gets a quarter of its rate. */
const HEAVY = 30;
const MOST_REMEMBERED = 4096;

interface Known {
  readonly standing: Standing;
  readonly buckets: Map<string, TokenBucket>;
}

export class Guard {
  readonly #clock: Clock;
  readonly #devices = new Map<DeviceId, Known>();
  readonly #places = new Map<string, Known>();
  readonly #networks = new Set<Network>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `network` with every exchange guarded, in both directions. */
  over(network: Network): Network {
    this.#networks.add(network);
    const guard = this;
    return {
      self: network.self,
      addresses: () => network.addresses(),
      connect: (address, signal) => network.connect(address, signal),
      peers: () => network.peers(),
      watchPeers: (listener) => network.watchPeers(listener),
      hostOf: (peer) => network.hostOf(peer),
      disconnect: (peer) => network.disconnect(peer),
      traffic: () => network.traffic(),
      close: () => network.close(),
      serve: (protocol, handler, limits) =>
        network.serve(protocol, handler, { ...limits, admits: (peer) => guard.admits(peer, protocol) }),
      async *open(peer, protocol, request, limits, signal) {
        try {
          yield* network.open(peer, protocol, request, limits, signal);
        } catch (error) {
          if (isWorldError(error, 'message-too-large')) guard.report(peer, 'malformed');
          if (isWorldError(error, 'peer-silent')) guard.report(peer, 'silent');
          if (isWorldError(error, 'peer-failed')) guard.report(peer, 'failed');
          throw error;
        }
      },
    };
  }

  /** Whether a device may connect. */
  admitsDevice(device: DeviceId): boolean {
    return !this.#devices.get(device)?.standing.isBanned(this.#clock.now());
  }

  /** Whether anybody may connect from `place`. */
  admitsPlace(place: string): boolean {
    return !this.#places.get(place)?.standing.isBanned(this.#clock.now());
  }

  /** Whether `peer` may have one more exchange now. Counts it. */
  admits(peer: DeviceId, protocol: string): boolean {
    if (!this.admitsDevice(peer)) return false;
    const place = this.#placeOf(peer);
    const device = this.#known(this.#devices, peer);
    const rate = RATES[protocol] ?? OTHER;
    const mayDevice = this.#takes(device, protocol, this.#rateFor(device, rate));
    const mayPlace = this.#takesAt(place, protocol, times(rate, PEERS_AT_ONE_PLACE));
    if (!mayDevice) this.report(peer, 'flood');
    return mayDevice && mayPlace;
  }

  /** The same for those who have no key, such as browsers. */
  admitsFrom(place: string, protocol: string): boolean {
    return this.admitsPlace(place) && this.#takesAt(place, protocol, times(RATES[protocol] ?? OTHER, 2));
  }

  /** Whether one more newcomer without a ticket may come from where `peer` is. Counts it. */
  admitsNewcomer(peer: DeviceId): boolean {
    return this.#takesAt(this.#placeOf(peer), 'join', JOINS);
  }

  /** Takes note of a peer's conduct; ends the connection where it was too much. */
  report(peer: DeviceId, offence: Offence): void {
    const nowMs = this.#clock.now();
    const place = this.#placeOf(peer);
    const isBanned = this.#known(this.#devices, peer).standing.add(offence, BAN_DEVICE_AT, nowMs);
    const isPlaceBanned =
      place !== undefined &&
      place !== LOOPBACK &&
      this.#known(this.#places, place).standing.add(offence, BAN_PLACE_AT, nowMs);
    if (isBanned) this.#hangUpOn((candidate) => candidate === peer);
    if (isPlaceBanned) this.#hangUpOn((candidate) => this.#placeOf(candidate) === place);
  }

  /** The best first; of equals, the order that they had. */
  sorted(peers: readonly DeviceId[]): DeviceId[] {
    const nowMs = this.#clock.now();
    const burdens = new Map(peers.map((peer) => [peer, this.#devices.get(peer)?.standing.burden(nowMs) ?? 0]));
    return peers.toSorted((a, b) => burdens.get(a)! - burdens.get(b)!);
  }

  /** Devices and places that are remembered: never more than a bound. */
  get remembered(): number {
    return this.#devices.size + this.#places.size;
  }

  #hangUpOn(isMeant: (peer: DeviceId) => boolean): void {
    for (const network of this.#networks)
      for (const peer of network.peers()) if (isMeant(peer)) network.disconnect(peer);
  }

  #placeOf(peer: DeviceId): string | undefined {
    for (const network of this.#networks) {
      const place = network.hostOf(peer);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  #takesAt(place: string | undefined, protocol: string, rate: Rate): boolean {
    if (place === undefined || place === LOOPBACK) return true;
    return this.#takes(this.#known(this.#places, place), protocol, rate);
  }

  #takes({ buckets }: Known, protocol: string, rate: Rate): boolean {
    const nowMs = this.#clock.now();
    let bucket = buckets.get(protocol);
    if (!bucket) {
      bucket = new TokenBucket(rate, nowMs);
      buckets.set(protocol, bucket);
    }
    return bucket.take(rate, nowMs);
  }

  #rateFor({ standing }: Known, rate: Rate): Rate {
    return standing.burden(this.#clock.now()) < HEAVY ? rate : times(rate, 1 / 4);
  }

  /** Moves to the end of the line: who was not heard of for longest is forgotten first, the banned last. */
  #known(all: Map<string, Known>, name: string): Known {
    const known = all.get(name) ?? { standing: new Standing(this.#clock.now()), buckets: new Map() };
    all.delete(name);
    all.set(name, known);
    if (all.size > MOST_REMEMBERED) this.#forgetOne(all);
    return known;
  }

  #forgetOne(all: Map<string, Known>): void {
    const nowMs = this.#clock.now();
    let looked = 0;
    for (const [name, { standing }] of all) {
      if (standing.isBanned(nowMs) && ++looked < 64) continue;
      all.delete(name);
      return;
    }
  }
}

function times({ burst, perSecond }: Rate, factor: number): Rate {
  return { burst: burst * factor, perSecond: perSecond * factor };
}
