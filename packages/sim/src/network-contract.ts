/** What every `Network` keeps: the same tests run against the simulated one and against libp2p. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Handler, isWorldError, type Network, utf8 } from '@folkmoot/core';

/** A world in which devices meet. */
export interface NetworkWorld {
  /** A new device, connected to nobody. */
  join(): Promise<Network>;
  /** Waits for `task`, in the time of this world. */
  run<T>(task: Promise<T>): Promise<T>;
  sleep(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

const LIMITS = { idleMs: 2_000, maxMessageBytes: 64 * 1024 };
const SERVE = { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 };

/** Registers the tests of the contract for the worlds that `open` makes. */
export function testNetworkContract(name: string, open: () => Promise<NetworkWorld>): void {
  const contract = (what: string, body: (world: NetworkWorld) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const world = await open();
      try {
        await world.run(body(world));
      } finally {
        await world.run(world.close());
      }
    });

  contract('both ends learn of a connection once, and of its end', async (world) => {
    const [client, server] = [await world.join(), await world.join()];
    const seen: [string, string, boolean][] = [];
    client.watchPeers((peer, connected) => seen.push(['client', peer, connected]));
    server.watchPeers((peer, connected) => seen.push(['server', peer, connected]));
    assert.equal(await client.connect(server.addresses()[0]!), server.self);
    assert.equal(await client.connect(server.addresses()[0]!), server.self);
    await eventually(world, () => server.peers().length > 0);
    assert.deepEqual([client.peers(), server.peers()], [[server.self], [client.self]]);
    await server.close();
    await eventually(world, () => client.peers().length === 0);
    const ofClient = seen.filter(([who]) => who === 'client');
    assert.deepEqual(ofClient, [
      ['client', server.self, true],
      ['client', server.self, false],
    ]);
    assert.deepEqual(
      seen.find(([who]) => who === 'server'),
      ['server', client.self, true],
    );
  });

  contract('messages arrive whole and in order, empty ones too', async (world) => {
    const { client, server } = await pair(world);
    const asked: string[] = [];
    server.serve(
      'count',
      async function* (peer, request) {
        asked.push(peer, String(request.length));
        for (let i = 0; i < 50; i++) yield new Uint8Array(i * 100).fill(i);
      },
      SERVE,
    );
    const sizes: number[] = [];
    for await (const message of client.open(server.self, 'count', new Uint8Array(0), LIMITS)) {
      assert.ok(message.every((byte) => byte === sizes.length));
      sizes.push(message.length);
    }
    assert.deepEqual(
      sizes,
      Array.from({ length: 50 }, (_, i) => i * 100),
    );
    assert.deepEqual(asked, [client.self, '0']);
  });

  contract('either end may ask', async (world) => {
    const { client, server } = await pair(world);
    client.serve('echo', echo, SERVE);
    await eventually(world, () => server.peers().length > 0);
    assert.deepEqual(await collect(server.open(client.self, 'echo', utf8('hi'), LIMITS)), [utf8('hi')]);
  });

  contract('a protocol that is not served', async (world) => {
    const { client, server } = await pair(world);
    await fails(collect(client.open(server.self, 'nothing', new Uint8Array(1), LIMITS)), 'protocol-unknown');
  });

  contract('an oversized request is refused, and the connection lives on', async (world) => {
    const { client, server } = await pair(world);
    server.serve('echo', echo, SERVE);
    await fails(collect(client.open(server.self, 'echo', new Uint8Array(1025), LIMITS)), 'message-too-large');
    assert.equal((await collect(client.open(server.self, 'echo', new Uint8Array(1024), LIMITS))).length, 1);
  });

  contract('an oversized answer ends the exchange', async (world) => {
    const { client, server } = await pair(world);
    server.serve(
      'big',
      async function* () {
        yield new Uint8Array(64 * 1024);
        yield new Uint8Array(64 * 1024 + 1);
      },
      SERVE,
    );
    const sizes: number[] = [];
    const reading = (async () => {
      for await (const message of client.open(server.self, 'big', new Uint8Array(0), LIMITS))
        sizes.push(message.length);
    })();
    await fails(reading, 'message-too-large');
    assert.deepEqual(sizes, [64 * 1024]);
  });

  contract('a peer that falls silent', async (world) => {
    const { client, server } = await pair(world);
    let aborted = false;
    server.serve(
      'hang',
      async function* (_peer, _request, signal) {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        yield utf8('one');
        await aborting(signal);
      },
      SERVE,
    );
    await fails(
      collect(client.open(server.self, 'hang', new Uint8Array(0), { ...LIMITS, idleMs: 400 })),
      'peer-silent',
    );
    await eventually(world, () => aborted);
  });

  contract('a handler that fails is no whole answer', async (world) => {
    const { client, server } = await pair(world);
    server.serve(
      'fail',
      async function* () {
        yield utf8('one');
        throw new Error('a bug of the server');
      },
      SERVE,
    );
    await fails(collect(client.open(server.self, 'fail', new Uint8Array(0), LIMITS)), 'peer-failed');
  });

  contract('leaving the loop stops the handler and frees its place', async (world) => {
    const { client, server } = await pair(world);
    let ended = 0;
    server.serve(
      'stream',
      async function* () {
        try {
          for (;;) {
            yield new Uint8Array(1000);
            await world.sleep(5);
          }
        } finally {
          ended++;
        }
      },
      { maxRequestBytes: 10, maxConcurrentPerPeer: 1 },
    );
    for (let i = 0; i < 3; i++) {
      for await (const _ of client.open(server.self, 'stream', new Uint8Array(0), LIMITS)) break;
      await eventually(world, () => ended === i + 1);
    }
  });

  contract('the sender waits while the receiver is slow', async (world) => {
    const { client, server } = await pair(world);
    const total = 600;
    let made = 0;
    server.serve(
      'flood',
      async function* () {
        for (; made < total; made++) yield new Uint8Array(64 * 1024).fill(made);
      },
      SERVE,
    );
    let read = 0;
    for await (const message of client.open(server.self, 'flood', new Uint8Array(0), LIMITS)) {
      if (read++ === 0) await world.sleep(1000);
      if (read === 1) assert.ok(made < 300, `${made} messages were made while one was read`);
      assert.equal(message[0], (read - 1) & 0xff);
    }
    assert.equal(read, total);
  });

  contract('exchanges beyond the limit of one peer are refused', async (world) => {
    const { client, server } = await pair(world);
    server.serve(
      'wait',
      async function* () {
        await world.sleep(500);
        yield utf8('done');
      },
      { maxRequestBytes: 10, maxConcurrentPerPeer: 3 },
    );
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => collect(client.open(server.self, 'wait', new Uint8Array(0), LIMITS))),
    );
    const refused = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && isWorldError(outcome.reason, 'peer-busy'),
    );
    assert.deepEqual([outcomes.filter(({ status }) => status === 'fulfilled').length, refused.length], [3, 2]);
  });

  contract('an aborted exchange rejects with the reason', async (world) => {
    const { client, server } = await pair(world);
    server.serve(
      'hang',
      async function* (_peer, _request, signal) {
        yield utf8('one');
        await aborting(signal);
      },
      SERVE,
    );
    const controller = new AbortController();
    const reading = collect(client.open(server.self, 'hang', new Uint8Array(0), LIMITS, controller.signal));
    const failure = reading.catch((error) => error);
    await world.sleep(300);
    controller.abort(new Error('enough'));
    assert.equal((await failure).message, 'enough');
  });

  contract('nobody is asked who is not connected, and nobody is dialled who is not there', async (world) => {
    const [client, server] = [await world.join(), await world.join()];
    await fails(collect(client.open(server.self, 'echo', new Uint8Array(0), LIMITS)), 'peer-unreachable');
    const address = server.addresses()[0]!;
    await server.close();
    await fails(client.connect(address), 'peer-unreachable');
    await fails(client.connect('nonsense'), 'peer-unreachable');
    await fails(client.connect(client.addresses()[0]!), 'peer-unreachable');
  });

  contract('an exchange ends with the connection under it', async (world) => {
    const { client, server } = await pair(world);
    server.serve(
      'hang',
      async function* (_peer, _request, signal) {
        yield utf8('one');
        await aborting(signal);
      },
      SERVE,
    );
    const failure = collect(client.open(server.self, 'hang', new Uint8Array(0), LIMITS)).catch((error) => error);
    await world.sleep(300);
    await server.close();
    assert.ok(isWorldError(await failure), 'a coded error, not an end');
  });

  contract('traffic counts payload and length prefixes on both ends', async (world) => {
    const { client, server } = await pair(world);
    server.serve('echo', echo, SERVE);
    await collect(client.open(server.self, 'echo', new Uint8Array(100), LIMITS));
    await eventually(world, () => server.traffic().sentBytes === 108);
    // Request, answer, end of the answer.
    assert.deepEqual(client.traffic(), { sentBytes: 104, receivedBytes: 104 + 4 });
    assert.deepEqual(server.traffic(), { sentBytes: 104 + 4, receivedBytes: 104 });
  });
}

const echo: Handler = async function* (_peer, request) {
  yield request;
};

/** Two connected devices. */
async function pair(world: NetworkWorld): Promise<{ client: Network; server: Network }> {
  const [client, server] = [await world.join(), await world.join()];
  await client.connect(server.addresses()[0]!);
  return { client, server };
}

async function collect(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const message of messages) all.push(message.slice());
  return all;
}

/** Waits until `isSo` holds; a loaded machine may take a while. */
async function eventually(world: NetworkWorld, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i++) await world.sleep(20);
  assert.ok(isSo(), String(isSo));
}

async function fails(task: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(task, (error) => isWorldError(error, code) || assert.fail(`expected ${code}, got ${error}`));
}

function aborting(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
