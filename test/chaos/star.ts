/**
 * A network in the shape of a star: each member on a machine of its own, all cables end in the hub.
 *
 * Where this machine gives out network namespaces, each member has one, and the hub another; nobody forwards packets
 * between cables, so there is no way but through the hub's doors. Elsewhere all are on the loopback address, and only the
 * addresses that members tell each other lead through the hub.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Door, Order, Report } from './hub.ts';

const HUB = fileURLToPath(new URL('./hub.ts', import.meta.url));
const HUB_ADDRESS = '10.83.79.1';
const MEMBER_PORT = 4801;
const FIRST_DOOR = 4810;

/** A place for a member. */
export interface Place {
  readonly name: string;
  /** What to put before a command that runs there. */
  readonly behind: readonly string[];
  /** Options of `create` and `join`. */
  readonly options: readonly string[];
}

export class Star {
  readonly places: readonly Place[];
  /** Whether each member has a network namespace of its own. */
  readonly isolated: boolean;
  readonly #hub: ChildProcess;
  readonly #namespaces: readonly string[];

  private constructor(places: readonly Place[], hub: ChildProcess, namespaces: readonly string[]) {
    this.places = places;
    this.isolated = namespaces.length > 0;
    this.#hub = hub;
    this.#namespaces = namespaces;
  }

  /** Lays the cables for members of these names. `close` takes everything away again. */
  static async build(names: readonly string[]): Promise<Star> {
    const cabled = layCables(names);
    const doors = cabled ? cabled.doors : await loopbackDoors(names);
    const [file, ...rest] = [...(cabled ? within(cabled.hub) : []), process.execPath, HUB];
    const hub = spawn(file!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const places = doors.map((door, i) => ({
      name: door.name,
      behind: cabled ? within(cabled.members[i]!) : [],
      options: [
        ...['--listen', door.member.host, '--port', String(door.member.port)],
        ...['--announce', `/ip4/${door.door.host}/tcp/${door.door.port}`],
      ],
    }));
    const star = new Star(places, hub, cabled ? [cabled.hub, ...cabled.members] : []);
    await star.#open(doors);
    return star;
  }

  /** The process that is `name` from now on. */
  isProcess(name: string, pid: number): void {
    this.#order({ kind: 'process', name, pid });
  }

  /** Nothing passes between these, in these directions, until the next call. */
  cut(cuts: readonly (readonly [from: string, to: string])[]): void {
    this.#order({ kind: 'cuts', cuts });
  }

  /** Everything to and from these members takes so long on average, until the next call. */
  delay(delays: Readonly<Record<string, number>>): void {
    this.#order({ kind: 'delays', delays });
  }

  /** Who is connected to whom, each connection in both directions; nobody where the hub is gone. */
  async connections(): Promise<readonly (readonly [from: string, to: string])[]> {
    if (!this.#hub.connected) return [];
    const answered = new Promise<readonly (readonly [string, string])[]>((resolve) => {
      const listen = (report: Report) => {
        if (report.kind !== 'connections') return;
        this.#hub.off('message', listen);
        resolve(report.pairs);
      };
      this.#hub.on('message', listen).once('exit', () => resolve([]));
    });
    this.#order({ kind: 'connections' });
    return answered;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#hub.once('exit', resolve));
    if (this.#hub.exitCode === null && this.#hub.kill()) await ended;
    for (const name of this.#namespaces) ip('netns', 'delete', name);
  }

  async #open(doors: readonly Door[]): Promise<void> {
    const closed = new Set(doors.map(({ name }) => name));
    const opened = new Promise<void>((resolve, reject) => {
      this.#hub.once('exit', (code) => reject(new Error(`the hub ended with ${code}`)));
      this.#hub.on('message', (report: Report) => {
        if (report.kind === 'open') closed.delete(report.name);
        if (closed.size === 0) resolve();
      });
    });
    this.#order({ kind: 'doors', doors });
    await opened;
  }

  #order(order: Order): void {
    if (this.#hub.connected) this.#hub.send(order);
  }
}

/** Namespaces and cables, or `undefined` where this machine gives none out. */
function layCables(names: readonly string[]): { hub: string; members: string[]; doors: Door[] } | undefined {
  const hub = `fm${process.pid}hub`;
  const members = names.map((_, i) => `fm${process.pid}m${i}`);
  const steps = [
    ['netns', 'add', hub],
    ['-n', hub, 'link', 'set', 'lo', 'up'],
    ['-n', hub, 'address', 'add', `${HUB_ADDRESS}/32`, 'dev', 'lo'],
    ...members.flatMap((member, i) => [
      ['netns', 'add', member],
      ['-n', member, 'link', 'set', 'lo', 'up'],
      ['link', 'add', `h${i}`, 'netns', hub, 'type', 'veth', 'peer', 'name', 'cable', 'netns', member],
      ['-n', hub, 'address', 'add', `${subnet(i)}.1/24`, 'dev', `h${i}`],
      ['-n', hub, 'link', 'set', `h${i}`, 'up'],
      ['-n', member, 'address', 'add', `${subnet(i)}.2/24`, 'dev', 'cable'],
      ['-n', member, 'link', 'set', 'cable', 'up'],
      ['-n', member, 'route', 'add', 'default', 'via', `${subnet(i)}.1`],
    ]),
  ];
  if (!steps.every((step) => ip(...step))) {
    for (const name of [hub, ...members]) ip('netns', 'delete', name);
    return undefined;
  }
  const doors = names.map((name, i) => ({
    name,
    door: { host: HUB_ADDRESS, port: FIRST_DOOR + i },
    member: { host: `${subnet(i)}.2`, port: MEMBER_PORT },
    source: `${subnet(i)}.2`,
  }));
  return { hub, members, doors };
}

const subnet = (i: number) => `10.83.${100 + i}`;
const within = (namespace: string) => ['ip', 'netns', 'exec', namespace];
const ip = (...args: string[]) => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

async function loopbackDoors(names: readonly string[]): Promise<Door[]> {
  const ports = await freePorts(2 * names.length);
  const at = (i: number) => ({ host: '127.0.0.1', port: ports[i]! });
  return names.map((name, i) => ({ name, door: at(2 * i), member: at(2 * i + 1) }));
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
