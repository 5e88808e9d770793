/** One simulated exchange: a request, then messages back, with the limits and failures of the real network. */
import {
  type DeviceId,
  type ExchangeLimits,
  type Handler,
  messageTooLarge,
  peerBusy,
  peerFailed,
  peerSilent,
  peerUnreachable,
  protocolUnknown,
  sha256,
  type WorldError,
} from '@folkmoot/core';
import type { Life } from './sim-life.ts';
import { SimChannel, type SimLink } from './sim-link.ts';

/** A message's length prefix; the real network has the same. */
const FRAME_BYTES = 4;
/** Bytes under way at which the sender waits for the receiver: about the window of a real stream. */
const WINDOW_BYTES = 1 << 20;
/** How long a sender waits for a receiver that takes nothing. */
const SEND_IDLE_MS = 60_000;

/** One end, as the exchange sees it. */
export interface ExchangeEnd {
  readonly id: DeviceId;
  readonly life: Life;
  readonly traffic: { sentBytes: number; receivedBytes: number };
}

/** What one device does about a protocol. */
export interface Service {
  readonly handler: Handler;
  readonly maxRequestBytes: number;
  readonly maxConcurrentPerPeer: number;
  readonly admits?: (peer: DeviceId) => boolean;
  /** Told what the handler throws: the peer learns only that it failed. */
  readonly onError: (error: unknown) => void;
  /** Running exchanges by peer. */
  readonly running: Map<DeviceId, number>;
}

/** The asking side's view: `take` until it gives `undefined`, then or earlier `hangUp`. */
export class SimExchange {
  readonly #link: SimLink;
  readonly #client: ExchangeEnd;
  readonly #server: ExchangeEnd;
  readonly #protocol: string;
  readonly #limits: ExchangeLimits;
  readonly #up: SimChannel;
  readonly #down: SimChannel;
  readonly #stopWatchingLink: () => void;
  readonly #arrived: Uint8Array[] = [];
  #outcome: 'running' | 'whole' | WorldError = 'running';
  #wakeClient = () => {};
  #wakeServer = () => {};
  #underWayBytes = 0;
  readonly #serving = new AbortController();
  #served = false;

  constructor(link: SimLink, client: ExchangeEnd, server: ExchangeEnd, protocol: string, limits: ExchangeLimits) {
    this.#link = link;
    this.#client = client;
    this.#server = server;
    this.#protocol = protocol;
    this.#limits = limits;
    const onBreak = () => this.#break('the connection broke');
    this.#up = new SimChannel(link, client.id, onBreak);
    this.#down = new SimChannel(link, server.id, onBreak);
    this.#stopWatchingLink = link.onClose(() => this.#break('the connection closed'));
  }

  /** Sends the request to whatever `service` the other end has when it arrives. */
  request(bytes: Uint8Array, service: () => Service | undefined): void {
    const copy = bytes.slice();
    this.#send(this.#up, this.#client, this.#server, copy, () => {
      this.#server.life.whenAwake(() => {
        const found = service();
        if (found) this.#admit(found, copy);
        else this.#conclude(protocolUnknown(this.#server.id, this.#protocol));
      });
    });
  }

  /** The next message; `undefined` after the last. Throws what the exchange failed with. */
  async take(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      const message = this.#arrived.shift();
      if (message) return this.#taken(message);
      if (this.#outcome === 'whole') return undefined;
      if (this.#outcome !== 'running') throw this.#outcome;
      await this.#waitForArrival(signal);
    }
  }

  /** Ends the exchange from the asking side; harmless after its end. */
  hangUp(): void {
    if (this.#outcome === 'running') this.#outcome = 'whole';
    this.#stopWatchingLink();
    if (!this.#served) this.#up.send(FRAME_BYTES, () => this.#stopServing('the peer hung up'));
  }

  #taken(message: Uint8Array): Uint8Array {
    this.#up.send(0, () => {
      this.#underWayBytes -= message.length;
      this.#wakeServer();
    });
    return message;
  }

  #waitForArrival(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancelIdle();
        signal?.removeEventListener('abort', wake);
        this.#wakeClient = () => {};
        resolve();
      };
      const cancelIdle = this.#link.air.clock.schedule(this.#limits.idleMs, () => {
        this.#fail(peerSilent(this.#server.id, this.#protocol, this.#limits.idleMs));
      });
      signal?.addEventListener('abort', wake, { once: true });
      this.#wakeClient = wake;
    });
  }

  #admit(service: Service, request: Uint8Array): void {
    const { id } = this.#client;
    const running = service.running.get(id) ?? 0;
    if (request.length > service.maxRequestBytes) {
      this.#conclude(messageTooLarge(this.#server.id, this.#protocol, request.length, service.maxRequestBytes));
    } else if (running >= service.maxConcurrentPerPeer || service.admits?.(id) === false) {
      this.#conclude(peerBusy(this.#server.id, this.#protocol));
    } else {
      service.running.set(id, running + 1);
      this.#serve(service, request).finally(() => service.running.set(id, service.running.get(id)! - 1));
    }
  }

  async #serve(service: Service, request: Uint8Array): Promise<void> {
    const { signal } = this.#serving;
    try {
      for await (const message of service.handler(this.#client.id, request, signal)) {
        if (signal.aborted || this.#server.life.over) return;
        await this.#answer(message.slice());
        if (signal.aborted || this.#server.life.over) return;
      }
      this.#conclude('whole');
    } catch (error) {
      if (!signal.aborted && !this.#server.life.over) service.onError(error);
      this.#conclude(peerFailed(this.#server.id, this.#protocol));
    }
  }

  async #answer(message: Uint8Array): Promise<void> {
    this.#underWayBytes += message.length;
    this.#send(this.#down, this.#server, this.#client, message, () => this.#receive(message));
    while (this.#underWayBytes > WINDOW_BYTES && !this.#serving.signal.aborted) await this.#waitForCredit();
  }

  #waitForCredit(): Promise<void> {
    return new Promise((resolve) => {
      const cancelIdle = this.#link.air.clock.schedule(SEND_IDLE_MS, () => this.#stopServing('the peer takes nothing'));
      this.#wakeServer = () => {
        cancelIdle();
        this.#wakeServer = () => {};
        resolve();
      };
    });
  }

  #receive(message: Uint8Array): void {
    if (this.#outcome !== 'running') return;
    const { maxMessageBytes } = this.#limits;
    if (message.length > maxMessageBytes) {
      this.#fail(messageTooLarge(this.#server.id, this.#protocol, message.length, maxMessageBytes));
    } else {
      this.#arrived.push(message);
      this.#wakeClient();
    }
  }

  #conclude(outcome: 'whole' | WorldError): void {
    if (this.#serving.signal.aborted || this.#server.life.over) return;
    this.#served = true;
    this.#send(this.#down, this.#server, this.#client, new Uint8Array(0), () => this.#end(outcome));
  }

  #end(outcome: 'whole' | WorldError): void {
    if (this.#outcome !== 'running') return;
    this.#outcome = outcome;
    this.#stopWatchingLink();
    this.#wakeClient();
  }

  /** Ends the exchange at the client with `error`, and tells the server. */
  #fail(error: WorldError): void {
    if (this.#outcome !== 'running') return;
    this.hangUp();
    this.#outcome = error;
    this.#wakeClient();
  }

  #stopServing(reason: string): void {
    if (this.#served || this.#serving.signal.aborted) return;
    if (!this.#server.life.over) this.#serving.abort(peerUnreachable(this.#client.id, reason));
    this.#wakeServer();
  }

  #break(reason: string): void {
    this.#end(peerUnreachable(this.#server.id, reason));
    this.#stopServing(reason);
  }

  #send(channel: SimChannel, from: ExchangeEnd, to: ExchangeEnd, bytes: Uint8Array, deliver: () => void): void {
    const sizeBytes = bytes.length + FRAME_BYTES;
    from.traffic.sentBytes += sizeBytes;
    channel.send(sizeBytes, () => {
      to.traffic.receivedBytes += sizeBytes;
      this.#link.air.note(this.#protocol, from.id, to.id, sizeBytes, sha256(bytes));
      deliver();
    });
  }
}
