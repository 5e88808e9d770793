/**
 * Artifacts over HTTP, for browsers, for members that no direct connection leads to, and for whoever mirrors a run:
 * `GET /artifacts/<sha256>`, with ranges. Node's own server: one route does not need a framework.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Hash, isHash, LOOPBACK, placeOf, type Store, WorldError } from '@folkmoot/core';
import { parseRange } from './byte-range.ts';

const CHUNK_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 128;
/** Requests of one place that are answered at once. */
const MAX_AT_ONE_PLACE = 8;
const HEADER_MS = 10_000;
/** Longest wait for a reader that takes nothing. */
const IDLE_MS = 30_000;

export interface ArtifactServerOptions {
  readonly store: Pick<Store, 'size' | 'read'>;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether one more request from a place is answered. Default: all. */
  readonly admits?: (place: string) => boolean;
  /** Told how many bytes went out. */
  readonly onSent?: (bytes: number) => void;
}

export interface ArtifactServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens. Throws `port-taken`. */
export async function serveArtifacts(options: ArtifactServerOptions): Promise<ArtifactServer> {
  const answering = new Map<string, number>();
  const server = createServer({ maxHeaderSize: 8192, headersTimeout: HEADER_MS, requestTimeout: HEADER_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = 5000;
  server.on('request', (request, response) => void handle(request, response, options, answering));
  // A client that speaks something else is not our concern.
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, options);
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: ArtifactServerOptions,
  answering: Map<string, number>,
): Promise<void> {
  const place = placeOf(request.socket.remoteAddress ?? '');
  const running = answering.get(place) ?? 0;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('x-content-type-options', 'nosniff');
  if (place !== LOOPBACK && (running >= MAX_AT_ONE_PLACE || options.admits?.(place) === false)) {
    response.setHeader('retry-after', '10');
    return refuse(response, 429);
  }
  answering.set(place, running + 1);
  try {
    await answer(request, response, options);
  } catch {
    response.destroy();
  } finally {
    const left = answering.get(place)! - 1;
    if (left > 0) answering.set(place, left);
    else answering.delete(place);
  }
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  options: ArtifactServerOptions,
): Promise<void> {
  if (method === 'OPTIONS') return preflight(response);
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405);
  if (url === '/health') return void response.end('ok\n');
  const id = /^\/artifacts\/([0-9a-f]{64})$/.exec(url ?? '')?.[1];
  const size = id !== undefined && isHash(id) ? await options.store.size(id) : undefined;
  if (id === undefined || size === undefined) return refuse(response, 404);
  describe(response, id);
  if (headers['if-none-match'] === `"${id}"`) return refuse(response, 304);
  const range = parseRange(headers.range, size);
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${size}`);
    return refuse(response, 416);
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  response.setHeader('content-length', last - first + 1);
  if (range) response.setHeader('content-range', `bytes ${first}-${last}/${size}`);
  response.statusCode = range ? 206 : 200;
  if (method === 'HEAD') return void response.end();
  await send(response, options, id, first, last);
}

/** As fast as the reader takes it: one chunk is in memory. */
async function send(
  response: ServerResponse,
  { store, onSent }: ArtifactServerOptions,
  id: Hash,
  first: number,
  last: number,
): Promise<void> {
  for (let at = first; at <= last; ) {
    const chunk = await store.read(id, at, Math.min(CHUNK_BYTES, last - at + 1));
    if (chunk.length === 0 || response.destroyed) throw new Error('broken off');
    if (!response.write(chunk)) await drained(response);
    onSent?.(chunk.length);
    at += chunk.length;
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = () => finish();
    const onClose = () => finish(new Error('the reader has gone'));
    const timer = setTimeout(() => finish(new Error('the reader takes nothing')), IDLE_MS);
    response.on('drain', onDrain);
    response.on('close', onClose);
  });
}

/** Bytes under the name of their hash never change. */
function describe(response: ServerResponse, id: Hash): void {
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('cache-control', 'public, max-age=31536000, immutable');
  response.setHeader('etag', `"${id}"`);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('access-control-expose-headers', 'content-length, content-range, etag');
  // Pages that use threads may take only what says so.
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
}

function preflight(response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', 'GET, HEAD');
  response.setHeader('access-control-allow-headers', 'range, if-none-match');
  response.setHeader('access-control-max-age', '86400');
  refuse(response, 204);
}

function refuse(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}

function listen(server: Server, { host, port }: ArtifactServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new WorldError('port-taken', `Artifacts cannot be served over HTTP at ${host}, port ${port}: ${cause.code}.`, {
          facts: { host, port },
          help: 'Choose another port with --http, or leave it away.',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}
