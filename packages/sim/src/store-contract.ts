/** What every `Store`, `Journal` and `Cells` keeps: the same tests run against the simulated disk and the real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cells, isWorldError, type Journal, type Store, sha256, utf8 } from '@folkmoot/core';

/** One machine's storage, which can be opened again and damaged. */
export interface StoreWorld {
  /** Opens the storage; a former opening is over. */
  open(options?: { maxBytes?: number }): Promise<{ store: Store; cells: Cells; journal: Journal }>;
  /** Flips a bit of a stored artifact. */
  corrupt(id: string): Promise<void>;
  /** Puts half a line behind the journal. */
  tearJournal(): Promise<void>;
  run<T>(task: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Registers the tests of the contract for the worlds that `make` makes. */
export function testStoreContract(name: string, make: () => Promise<StoreWorld>): void {
  const contract = (what: string, body: (world: StoreWorld) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const world = await make();
      try {
        await world.run(body(world));
      } finally {
        await world.close();
      }
    });

  contract('an artifact comes back by its hash, now and after a restart', async (world) => {
    const bytes = sample(100_000);
    const { store } = await world.open();
    const id = await store.put(bytes);
    assert.equal(id, sha256(bytes));
    assert.equal(await store.put(bytes), id);
    const { store: again } = await world.open();
    assert.deepEqual(await again.get(id), bytes);
    assert.equal(await again.size(id), bytes.length);
    assert.deepEqual(await again.read(id, 99_990, 100), bytes.subarray(99_990));
    assert.deepEqual(await again.read(id, 5, 10), bytes.subarray(5, 15));
    assert.deepEqual(await again.read(id, 200_000, 10), new Uint8Array(0));
    assert.deepEqual(await ids(again), [id]);
  });

  contract('an empty artifact is an artifact', async (world) => {
    const { store } = await world.open();
    assert.deepEqual(await store.get(await store.put(new Uint8Array(0))), new Uint8Array(0));
  });

  contract('what is not here is missing', async (world) => {
    const { store } = await world.open();
    const id = sha256(utf8('never stored'));
    await fails(store.get(id), 'artifact-missing');
    await fails(store.read(id, 0, 1), 'artifact-missing');
    assert.equal(await store.size(id), undefined);
  });

  contract('a flipped bit is found on reading, and the artifact can be stored again', async (world) => {
    const { store } = await world.open();
    const bytes = sample(1000);
    const id = await store.put(bytes);
    await world.corrupt(id);
    await fails(store.get(id), 'artifact-corrupt');
    await fails(store.get(id), 'artifact-missing');
    await store.put(bytes);
    assert.deepEqual(await store.get(id), bytes);
  });

  contract('storing an artifact again mends a damaged one that nobody has read', async (world) => {
    const { store } = await world.open();
    const bytes = sample(1000);
    const id = await store.put(bytes);
    await world.corrupt(id);
    await store.put(bytes);
    assert.deepEqual(await store.get(id), bytes);
  });

  contract('a transfer goes on where it stopped, over a restart', async (world) => {
    const bytes = sample(10_000);
    const id = sha256(bytes);
    const first = await (await world.open()).store.receive(id, bytes.length);
    await first.append(bytes.subarray(0, 4000));
    await first.pause();
    const { store } = await world.open();
    assert.equal(await store.size(id), undefined);
    assert.deepEqual(await ids(store), []);
    const second = await store.receive(id, bytes.length);
    assert.equal(second.offset, 4000);
    await second.append(bytes.subarray(4000, 9000));
    await second.append(bytes.subarray(9000));
    assert.equal(second.offset, 10_000);
    assert.equal(await second.finish(), true);
    assert.deepEqual(await store.get(id), bytes);
    const third = await store.receive(id, bytes.length);
    assert.deepEqual([third.offset, await third.finish()], [bytes.length, true]);
  });

  contract('wrong bytes are not filed, and the next transfer begins anew', async (world) => {
    const bytes = sample(5000);
    const id = sha256(bytes);
    const { store } = await world.open();
    const incoming = await store.receive(id, bytes.length);
    await incoming.append(bytes.map((byte, i) => (i === 77 ? byte ^ 1 : byte)));
    assert.equal(await incoming.finish(), false);
    assert.equal(await store.size(id), undefined);
    assert.equal(await heldBytes(store, id, bytes.length), 0);
  });

  contract('a transfer takes no more than was announced, and one at a time', async (world) => {
    const { store } = await world.open();
    const id = sha256(utf8('x'));
    const incoming = await store.receive(id, 10);
    await fails(store.receive(id, 10), 'artifact-arriving');
    await incoming.append(new Uint8Array(8));
    await fails(incoming.append(new Uint8Array(3)), 'artifact-oversized');
    await incoming.pause();
    assert.equal(await heldBytes(store, id, 5), 0);
  });

  contract('the limit of the store holds', async (world) => {
    const { store } = await world.open({ maxBytes: 10_000 });
    const id = await store.put(sample(6000));
    await fails(store.put(sample(6001)), 'store-full');
    await fails(store.receive(sha256(utf8('big')), 4001), 'store-full');
    assert.equal(await store.put(sample(6000)), id);
    assert.equal(await store.collect(new Set()), 6000);
    await store.put(sample(6001));
  });

  contract('collecting keeps what it is told to keep', async (world) => {
    const { store } = await world.open();
    const all = [await store.put(sample(10)), await store.put(sample(20)), await store.put(sample(30))];
    const kept = all.slice(1, 2);
    assert.equal(await store.collect(new Set(kept)), 40);
    assert.deepEqual(await ids(store), kept);
  });

  contract('a journal keeps its lines in order, and drops a torn one', async (world) => {
    const { journal } = await world.open();
    await Promise.all([journal.append(['a', 'b']), journal.append(['c']), journal.append(['ü'])]);
    await journal.close();
    await world.tearJournal();
    const { journal: again } = await world.open();
    assert.deepEqual(await lines(again), ['a', 'b', 'c', 'ü']);
    await again.append(['d']);
    assert.deepEqual(await lines(again), ['a', 'b', 'c', 'ü', 'd']);
    await again.close();
  });

  contract('any lines of a journal can be read by themselves', async (world) => {
    const { journal } = await world.open();
    const written = Array.from({ length: 300 }, (_, i) => `${i} ü`.padEnd(i % 7 === 0 ? 3000 : i % 40, 'x'));
    await Promise.all([journal.append(written.slice(0, 130)), journal.append(written.slice(130))]);
    const { journal: again } = await world.open();
    for (const each of [journal, again]) {
      assert.equal(each.count, 300);
      for (const [from, to] of [
        [0, 1],
        [63, 65],
        [64, 64],
        [127, 300],
        [299, 301],
        [300, 310],
      ] as const)
        assert.deepEqual(await lines(each, from, to), written.slice(from, to));
      assert.deepEqual(await lines(each, 250), written.slice(250));
    }
    await again.truncate(130);
    assert.equal(again.count, 130);
    assert.deepEqual(await lines(again, 120), written.slice(120, 130));
    await again.close();
  });

  contract('a journal that is cut keeps its first lines, and goes on from there', async (world) => {
    const { journal } = await world.open();
    void journal.append(['a', 'ü', 'c']);
    void journal.append(['d']);
    void journal.truncate(2);
    await journal.append(['x']);
    assert.deepEqual(await lines(journal), ['a', 'ü', 'x']);
    await journal.truncate(7);
    await journal.append(['y'.repeat(70_000), 'z']);
    await journal.truncate(4);
    await journal.close();
    const { journal: again } = await world.open();
    assert.deepEqual(await lines(again), ['a', 'ü', 'x', 'y'.repeat(70_000)]);
    await again.truncate(0);
    assert.deepEqual(await lines(again), []);
    await again.close();
  });

  contract('a cell holds what was written last', async (world) => {
    const { cells } = await world.open();
    assert.equal(await cells.read('state'), undefined);
    await Promise.all([cells.write('state', utf8('one')), cells.write('other', utf8('x'))]);
    await cells.write('state', utf8('two'));
    const { cells: again } = await world.open();
    assert.deepEqual(await again.read('state'), utf8('two'));
  });
}

/** `size` bytes that repeat at no power of two. */
function sample(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) % 251);
}

/** Where a transfer would go on. */
async function heldBytes(store: Store, id: string, sizeBytes: number): Promise<number> {
  const incoming = await store.receive(id, sizeBytes);
  await incoming.pause();
  return incoming.offset;
}

async function ids(store: Store): Promise<string[]> {
  const all: string[] = [];
  for await (const id of store.ids()) all.push(id);
  return all;
}

async function lines(journal: Journal, from?: number, to?: number): Promise<string[]> {
  const all: string[] = [];
  for await (const line of journal.lines(from, to)) all.push(line);
  return all;
}

async function fails(task: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(task, (error) => isWorldError(error, code) || assert.fail(`expected ${code}, got ${error}`));
}
