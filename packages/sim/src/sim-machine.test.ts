import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import { SimClock } from './sim-clock.ts';
import { SimDisk } from './sim-disk.ts';
import { Life } from './sim-life.ts';
import { SimMachine } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { openSimCells, openSimJournal, SimStore } from './sim-store.ts';
import { testStoreContract } from './store-contract.ts';

testStoreContract('simulated disk', async () => {
  const { clock, random } = world('contract');
  const disk = new SimDisk(clock, random);
  return {
    async open(options) {
      const life = new Life();
      const journal = openSimJournal(disk, life, 'log');
      return { store: new SimStore(disk, life, options), cells: openSimCells(disk, life), journal };
    },
    corrupt: async (id) => disk.corrupt(id),
    tearJournal: async () => disk.tearJournal('log'),
    run: (task) => clock.drive(task),
    close: async () => {},
  };
});

test('a crash keeps what was acknowledged, and tears at most what was not', async () => {
  let torn = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { clock, hub, random } = world(`crash ${seed}`);
    const machine = new SimMachine(clock, hub, random, 'machine');
    const journal = machine.boot().openJournal('log');
    const acknowledged: string[] = [];
    const write = async () => {
      for (let i = 0; ; i++) {
        await journal.append([`line ${i}`]);
        acknowledged.push(`line ${i}`);
      }
    };
    void write();
    await clock.run(clock.now() + 20);
    machine.crash();
    if (!machine.disk.journals.get('log')!.endsWith('\n')) torn++;
    const found: string[] = [];
    const read = async () => {
      for await (const line of machine.boot().openJournal('log').lines()) found.push(line);
    };
    await clock.drive(read());
    assert.deepEqual(found.slice(0, acknowledged.length), acknowledged);
    assert.ok(found.length <= acknowledged.length + 1);
  }
  assert.ok(torn > 0, 'some crash tore a line');
});

test('a full disk refuses, and takes again when there is room', async () => {
  const { clock, hub, random } = world('full');
  const machine = new SimMachine(clock, hub, random, 'machine');
  const { store, cells } = machine.boot();
  const id = await clock.drive(store.put(utf8('kept')));
  machine.disk.fill();
  const isFull = (error: unknown) => isWorldError(error, 'disk-full');
  await clock.drive(assert.rejects(store.put(utf8('more')), isFull));
  await clock.drive(assert.rejects(cells.write('cell', utf8('more')), isFull));
  machine.disk.capacityBytes = 100;
  await clock.drive(store.put(utf8('more')));
  assert.deepEqual(await clock.drive(store.get(id)), utf8('kept'));
});

test('a wiped store has nothing, and its cells stay', async () => {
  const { clock, hub, random } = world('wipe');
  const machine = new SimMachine(clock, hub, random, 'machine');
  const { store, cells } = machine.boot();
  await clock.drive(Promise.all([store.put(utf8('gone')), cells.write('cell', utf8('stays'))]));
  machine.crash();
  machine.disk.wipeStore();
  const next = machine.boot();
  assert.equal(await clock.drive(next.store.size(sha256(utf8('gone')))), undefined);
  assert.deepEqual(await clock.drive(next.cells.read('cell')), utf8('stays'));
});

function world(seed: string): { clock: SimClock; hub: SimNetwork; random: SeededRandom } {
  const clock = new SimClock();
  const random = new SeededRandom(seed);
  return { clock, hub: new SimNetwork(clock, random), random };
}
