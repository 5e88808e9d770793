/**
 * The hub of a chaotic network: a process through which every byte between members goes.
 *
 * Each member has a door here, which is the only address that others know of it. So the hub knows from whom to whom a
 * connection goes, and can delay what goes one way, or hold it back as a cable does that nobody is connected to: nothing
 * is refused, nothing ends, nothing arrives.
 *
 * Started as `node hub.ts`, in a network namespace or without; told what to do by messages of its parent.
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import { ownerOf } from './socket-owner.ts';

/** A member as the hub sees it. */
export interface Door {
  readonly name: string;
  /** Where the others connect to. */
  readonly door: { readonly host: string; readonly port: number };
  /** Where the member listens. */
  readonly member: { readonly host: string; readonly port: number };
  /** Its own address, where it has one for itself alone; else its process is looked up. */
  readonly source?: string;
}

export type Order =
  | { readonly kind: 'doors'; readonly doors: readonly Door[] }
  /** The process that is this member now. */
  | { readonly kind: 'process'; readonly name: string; readonly pid: number }
  /** Pairs between which nothing passes, in that direction; replaces the former ones. */
  | { readonly kind: 'cuts'; readonly cuts: readonly (readonly [from: string, to: string])[] }
  /** Mean delay of everything to and from these members; replaces the former ones. */
  | { readonly kind: 'delays'; readonly delays: Readonly<Record<string, number>> }
  /** Who is connected to whom? */
  | { readonly kind: 'connections' };

/** What the hub says. */
export type Report =
  | { readonly kind: 'open'; readonly name: string }
  /** From whoever dialled. */
  | { readonly kind: 'connections'; readonly pairs: readonly (readonly [from: string, to: string])[] };

/** Bytes that wait on one line before its sender has to. */
const MAX_WAITING_BYTES = 2 ** 20;
/** How long a delayed piece can be late beyond the mean: ten times, as a heavy tail has it. */
const TAIL = 10;

const doors = new Map<string, Door>();
const pids = new Map<string, number>();
const lines = new Set<Line>();
let cuts = new Set<string>();
let delays: Readonly<Record<string, number>> = {};

process.on('message', (order: Order) => {
  if (order.kind === 'doors') for (const door of order.doors) open(door);
  if (order.kind === 'process') pids.set(order.name, order.pid);
  if (order.kind === 'cuts') cuts = new Set(order.cuts.map(([from, to]) => `${from} ${to}`));
  if (order.kind === 'delays') delays = order.delays;
  if (order.kind === 'connections')
    report({ kind: 'connections', pairs: [...lines].map(({ from, to }) => [from, to]) });
  for (const line of lines) line.flow();
});
process.on('disconnect', () => process.exit(0));

function open(door: Door): void {
  if (doors.has(door.name)) return;
  doors.set(door.name, door);
  const server = createServer({ pauseOnConnect: true }, (incoming) => {
    const from = whoIs(incoming);
    const outgoing = dial(door.member.port, door.member.host);
    join(new Line(incoming, outgoing, from, door.name), new Line(outgoing, incoming, door.name, from));
  });
  server.listen(door.door.port, door.door.host, () => report({ kind: 'open', name: door.name }));
}

function report(what: Report): void {
  process.send?.(what);
}

/** The member at the other end of a connection; empty where it cannot be told. */
function whoIs(socket: Socket): string {
  for (const { name, source } of doors.values())
    if (source === undefined ? ownerOf(socket, pids.get(name)) : socket.remoteAddress === source) return name;
  return '';
}

function join(...pair: Line[]): void {
  for (const line of pair) {
    lines.add(line);
    line.start(() => {
      for (const other of pair) {
        other.end();
        lines.delete(other);
      }
    });
  }
}

/** One direction of a connection. */
class Line {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly from: string;
  readonly to: string;
  readonly #waiting: { bytes: Buffer; dueMs: number }[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, from: string, to: string) {
    this.#source = source;
    this.#sink = sink;
    this.from = from;
    this.to = to;
  }

  start(onEnd: () => void): void {
    this.#source.on('data', (bytes) => this.#take(bytes as Buffer));
    this.#source.on('end', onEnd).on('error', onEnd).on('close', onEnd);
    this.#sink.on('drain', () => this.flow());
    this.#source.resume();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#source.destroy();
    this.#sink.destroy();
  }

  /** Passes on what is due, as far as the line is not cut. */
  flow(): void {
    clearTimeout(this.#timer);
    while (!this.#isCut && this.#waiting.length > 0 && !this.#sink.writableNeedDrain) {
      const { bytes, dueMs } = this.#waiting[0]!;
      if (dueMs > Date.now()) {
        this.#timer = setTimeout(() => this.flow(), dueMs - Date.now());
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= bytes.length;
      this.#sink.write(bytes);
    }
    if (this.#waitingBytes < MAX_WAITING_BYTES) this.#source.resume();
  }

  #take(bytes: Buffer): void {
    const last = this.#waiting.at(-1)?.dueMs ?? 0;
    this.#waiting.push({ bytes, dueMs: Math.max(last, Date.now() + this.#delayMs()) });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#source.pause();
    this.flow();
  }

  get #isCut(): boolean {
    return cuts.has(`${this.from} ${this.to}`);
  }

  /** Pareto with shape 2, whose mean is the one that was ordered; cut off at ten times that. */
  #delayMs(): number {
    const mean = Math.max(delays[this.from] ?? 0, delays[this.to] ?? 0);
    return mean === 0 ? 0 : Math.min(TAIL * mean, mean / 2 / Math.sqrt(1 - Math.random()));
  }
}
