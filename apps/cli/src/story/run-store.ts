/** The artifacts of a run for those who only read it: from this home's store, else from members over the network. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceId, type Hash, isWorldError, shortId, WorldError } from '@folkmoot/core';
import { createNetwork, type Libp2pNetwork } from '@folkmoot/network';
import { Artifacts, systemClock } from '@folkmoot/node';
import { type DiskStore, lockHome, openDiskStore, ReadingStore } from '@folkmoot/store';
import type { Invocation } from '../invocation.ts';
import { formatBytes } from '../ui/format.ts';
import { knownAddresses } from './known-addresses.ts';
import type { OpenRun } from './open-run.ts';

const DIAL_MS = 8000;
/** Once somebody answers, the others have this long to. */
const GRACE_MS = 500;

export interface Wanted {
  readonly maxBytes: number;
  /** For people: `the base`. */
  readonly what: string;
  /** Who is likely to have it. */
  readonly from?: readonly DeviceId[];
}

/**
 * Reads without a lock, so that a member of the same home may be running. What is missing or damaged is fetched under a
 * key made for the occasion; nothing is said in the log. In the end it is kept in the home where no member runs.
 */
export class RunStore {
  readonly #run: OpenRun;
  readonly #call: Pick<Invocation, 'note' | 'stopSignal'>;
  readonly #folder: string;
  readonly #fetched: DiskStore;
  readonly #store: ReadingStore;
  #network: Promise<Libp2pNetwork> | undefined;
  #artifacts: Artifacts | undefined;

  private constructor(run: OpenRun, call: Pick<Invocation, 'note' | 'stopSignal'>, folder: string, fetched: DiskStore) {
    this.#run = run;
    this.#call = call;
    this.#folder = folder;
    this.#fetched = fetched;
    this.#store = new ReadingStore(run.folder.store, fetched);
  }

  static async open(run: OpenRun, call: Pick<Invocation, 'note' | 'stopSignal'>): Promise<RunStore> {
    const folder = await mkdtemp(join(tmpdir(), 'folkmoot-fetched-'));
    return new RunStore(run, call, folder, await openDiskStore({ path: folder }));
  }

  /** The artifact's bytes. Throws `artifact-unavailable`, saying whether it was damaged here and who was asked. */
  async get(id: Hash, wanted: Wanted): Promise<Uint8Array> {
    try {
      return await this.#store.get(id);
    } catch (error) {
      if (!isWorldError(error, 'artifact-missing') && !isWorldError(error, 'artifact-corrupt')) throw error;
    }
    if (this.#store.damaged.has(id))
      this.#call.note(
        `${wanted.what} (${shortId(id)}) is damaged in this home's store: its bytes do not hash to its name`,
      );
    return this.#fetch(id, wanted);
  }

  /** Whether all of `ids` lie in this home, damaged or not. */
  async has(ids: readonly Hash[]): Promise<boolean> {
    const sizes = await Promise.all(ids.map((id) => this.#store.size(id)));
    return sizes.every((size) => size !== undefined);
  }

  /** Closes the network, files what was fetched in the home unless a member runs there, and removes the rest. */
  async close(): Promise<void> {
    await (await this.#network?.catch(() => undefined))?.close();
    await this.#keep().catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #fetch(id: Hash, { what, maxBytes, from }: Wanted): Promise<Uint8Array> {
    const signal = this.#call.stopSignal();
    this.#network ??= connect(this.#run, signal);
    const network = await this.#network;
    if (network.peers().length === 0) throw await this.#unavailable(id, what, 'no member of the run can be reached');
    this.#call.note(`fetching ${what} (${shortId(id)}, at most ${formatBytes(maxBytes)}) …`);
    this.#artifacts ??= new Artifacts(network, this.#store, systemClock);
    try {
      return await this.#artifacts.get(id, { maxBytes, from, signal });
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable')) throw error;
      throw await this.#unavailable(id, what, `${network.peers().length} connected, and none has it`);
    }
  }

  async #unavailable(id: Hash, what: string, reason: string): Promise<WorldError> {
    const here = this.#store.damaged.has(id) ? 'damaged' : 'absent';
    return new WorldError(
      'artifact-unavailable',
      `An artifact is ${here} in this home and could not be fetched: ${what}.`,
      {
        facts: {
          artifact: id,
          members: reason,
          asked: (await knownAddresses(this.#run)).slice(0, 4).join(' ') || 'nobody known',
        },
        help: 'A member that holds it must be running and reachable from here; then run the same command again.',
      },
    );
  }

  /** Putting an artifact again is how a store mends a damaged one. */
  async #keep(): Promise<void> {
    if (this.#fetched.usedBytes === 0) return;
    const release = await lockHome(this.#run.home);
    try {
      const home = await openDiskStore({ path: this.#run.folder.store });
      for await (const id of this.#fetched.ids()) await home.put(await this.#fetched.get(id));
    } finally {
      await release();
    }
  }
}

/** Dials everybody whose address is known; resolves when all have answered or failed, or soon after the first. */
async function connect(run: OpenRun, signal: AbortSignal): Promise<Libp2pNetwork> {
  const network = await createNetwork({ secret: new Uint8Array(randomBytes(32)) });
  const dials = (await knownAddresses(run)).map((address) =>
    network.connect(address, AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)])),
  );
  const all = Promise.allSettled(dials);
  await Promise.any(dials).catch(() => {});
  await Promise.race([all, systemClock.sleep(GRACE_MS)]);
  signal.throwIfAborted();
  return network;
}
