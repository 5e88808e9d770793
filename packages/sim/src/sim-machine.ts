/** A machine of the simulated world: one device with a disk, which can boot, crash and boot again. */
import {
  assert,
  type Cells,
  type Clock,
  type DeviceId,
  type Journal,
  type Network,
  type Random,
  type Store,
} from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';
import { SimDisk } from './sim-disk.ts';
import { Life, type Skew } from './sim-life.ts';
import type { SimNetwork } from './sim-network.ts';
import { openSimCells, openSimJournal, SimStore } from './sim-store.ts';

/** The world as one running process has it. */
export interface SimProcess {
  readonly clock: Clock;
  readonly network: Network;
  readonly store: Store;
  readonly cells: Cells;
  openJournal(name: string): Journal;
}

export class SimMachine {
  readonly device: DeviceId;
  readonly disk: SimDisk;
  /** Of this machine's clock; survives crashes. */
  readonly skew: Skew = { offsetMs: 0, fastPpm: 0 };
  readonly #clock: SimClock;
  readonly #hub: SimNetwork;
  readonly #maxStoreBytes: number;
  #life: Life | undefined;

  constructor(
    clock: SimClock,
    hub: SimNetwork,
    random: Random,
    device: DeviceId,
    options: { maxStoreBytes?: number } = {},
  ) {
    this.device = device;
    this.disk = new SimDisk(clock, random);
    this.#clock = clock;
    this.#hub = hub;
    this.#maxStoreBytes = options.maxStoreBytes ?? Number.POSITIVE_INFINITY;
  }

  get running(): boolean {
    return this.#life !== undefined;
  }

  /** The running process's life. */
  get life(): Life | undefined {
    return this.#life;
  }

  /** Starts a process over what the disk holds. */
  boot(): SimProcess {
    assert(!this.#life, 'a machine boots when it is down');
    const life = new Life();
    this.#life = life;
    return {
      clock: life.clock(this.#clock, this.skew),
      network: this.#hub.join(this.device, life),
      store: new SimStore(this.disk, life, { maxBytes: this.#maxStoreBytes }),
      cells: openSimCells(this.disk, life),
      openJournal: (name) => openSimJournal(this.disk, life, name),
    };
  }

  /** Kills the process: its code stops where it waits, and writes under way may be torn. */
  crash(): void {
    assert(this.#life, 'only a running machine crashes');
    this.#life.end();
    this.disk.crash(this.#life);
    this.#hub.crash(this.device);
    this.#life = undefined;
  }
}
