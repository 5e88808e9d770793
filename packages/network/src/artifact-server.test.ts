/** Artifacts over HTTP: what is served, and what a mirror that lies can do to whoever asks it. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Hash, isWorldError, type Store, sha256 } from '@folkmoot/core';
import { type ArtifactServerOptions, serveArtifacts } from './artifact-server.ts';
import { httpMirror } from './http-mirror.ts';

const BYTES = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31) % 251);
const ID = sha256(BYTES);

test('an artifact is served whole, in ranges and by its head, to pages of any origin, for ever', async (t) => {
  const url = `${await serving(t)}/artifacts/${ID}`;
  const whole = await fetch(url);
  assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), BYTES);
  const headers = Object.fromEntries(whole.headers);
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.match(headers['cache-control']!, /immutable/);
  assert.equal(headers.etag, `"${ID}"`);
  const part = await fetch(url, { headers: { range: 'bytes=1000-1999' } });
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, 'bytes 1000-1999/700000']);
  assert.deepEqual(new Uint8Array(await part.arrayBuffer()), BYTES.slice(1000, 2000));
  const head = await fetch(url, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '700000', '']);
  assert.equal((await fetch(url, { headers: { 'if-none-match': `"${ID}"` } })).status, 304);
  assert.equal((await fetch(url, { headers: { range: 'bytes=700000-' } })).status, 416);
  const preflight = await fetch(url, { method: 'OPTIONS' });
  assert.match(preflight.headers.get('access-control-allow-headers')!, /range/);
});

test('nothing else is served: no other path, method or store', async (t) => {
  const url = await serving(t);
  const statuses: number[] = [];
  for (const path of [
    '/',
    '/artifacts/',
    `/artifacts/${'ab'.repeat(32)}`,
    `/artifacts/../${ID}`,
    `/artifacts/${ID}/x`,
    `/artifacts/${ID}?x`,
  ])
    statuses.push((await fetch(url + path)).status);
  assert.deepEqual(statuses, [404, 404, 404, 404, 404, 404]);
  assert.equal((await fetch(`${url}/artifacts/${ID}`, { method: 'PUT', body: 'x' })).status, 405);
  assert.equal(await (await fetch(`${url}/health`)).text(), 'ok\n');
});

test('whoever sends nonsense, or takes nothing, holds no memory but a chunk', async (t) => {
  let read = 0;
  const url = await serving(t, {
    store: {
      size: async () => 2 ** 40,
      read: async (_id: Hash, _at: number, length: number) => {
        read++;
        return new Uint8Array(length);
      },
    },
  });
  const port = Number(new URL(url).port);
  const nonsense = connect(port, '127.0.0.1');
  nonsense.on('error', () => {});
  nonsense.write('\x00\xff'.repeat(5000));
  await new Promise((resolve) => nonsense.on('close', resolve));
  const deaf = connect(port, '127.0.0.1');
  deaf.on('error', () => {});
  deaf.write(`GET /artifacts/${ID} HTTP/1.1\r\nhost: x\r\n\r\n`);
  deaf.pause();
  let before = -1;
  while (read !== before || read === 0) {
    before = read;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // What the system's buffers of both ends take, of a file of a terabyte.
  assert.ok(read < 64, `${read} chunks were read`);
  deaf.destroy();
});

test('a mirror is asked for what is missing, also where its server knows no ranges', async (t) => {
  const mirror = httpMirror(`${await serving(t)}/`);
  assert.equal(await mirror.size(ID), BYTES.length);
  assert.equal(await mirror.size('ab'.repeat(32)), undefined);
  assert.deepEqual(await collect(mirror.read(ID, 699_000)), BYTES.slice(699_000));
  const plain = httpMirror(await answering(t, (_request, response) => response.end(BYTES)));
  assert.deepEqual(await collect(plain.read(ID, 300_000)), BYTES.slice(300_000));
});

test('a mirror that fails, lies about where it begins, or sends people elsewhere is refused with a code', async (t) => {
  const cases: [RequestListener, RegExp][] = [
    [(_request, response) => response.writeHead(500).end(), /answers 500/],
    [(_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /failed/],
    [(_request, response) => response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('12345'), /answers 206/],
    [(_request, response) => response.writeHead(206).end('12345'), /answers 206/],
    [(request) => request.socket.destroy(), /failed/],
  ];
  for (const [answer, reason] of cases) {
    const mirror = httpMirror(await answering(t, answer));
    await assert.rejects(
      collect(mirror.read(ID, 3)),
      (error) => isWorldError(error, 'mirror-failed') && reason.test(error.message),
    );
  }
  for (const odd of ['ftp://x/', 'https://me:secret@x/', 'http://x/?a=b', 'nothing', 'file:///etc'])
    assert.throws(
      () => httpMirror(odd),
      (error) => isWorldError(error, 'mirror-invalid'),
      odd,
    );
});

async function serving(t: TestContext, options: Partial<ArtifactServerOptions> = {}): Promise<string> {
  const store: Pick<Store, 'size' | 'read'> = {
    size: async (id) => (id === ID ? BYTES.length : undefined),
    read: async (_id, at, length) => BYTES.slice(at, at + length),
  };
  const server = await serveArtifacts({ store, host: '127.0.0.1', port: 0, ...options });
  t.after(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

async function answering(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}
