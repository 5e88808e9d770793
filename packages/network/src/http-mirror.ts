/** A web server that has artifacts: a member's, or a plain folder behind any static server. Nothing that it says is trusted. */
import { type Hash, type Mirror, shortId, WorldError } from '@folkmoot/core';
import { parseContentRange } from './byte-range.ts';

const HEADER_MS = 15_000;
/** Longest wait for more of an answer. */
const IDLE_MS = 15_000;

/** Throws `mirror-invalid` where `url` is no plain HTTP address. */
export function httpMirror(url: string): Mirror {
  const base = parse(url);
  const addressOf = (id: Hash) => `${base}/artifacts/${id}`;
  return {
    name: base,
    async size(id, signal) {
      const response = await ask(addressOf(id), { method: 'HEAD' }, signal);
      await response.body?.cancel();
      const size = Number(response.headers.get('content-length') ?? Number.NaN);
      return response.status === 200 && Number.isSafeInteger(size) && size > 0 ? size : undefined;
    },
    async *read(id, offset, signal) {
      const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
      const response = await ask(addressOf(id), { headers }, signal);
      try {
        yield* chunksFrom(response, offset, id, signal);
      } finally {
        await response.body?.cancel().catch(() => {});
      }
    },
  };
}

function parse(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain =
    parsed &&
    /^https?:$/.test(parsed.protocol) &&
    !parsed.username &&
    !parsed.password &&
    !parsed.search &&
    !parsed.hash &&
    url.length <= 256;
  if (isPlain) return parsed.href.replace(/\/+$/, '');
  throw new WorldError('mirror-invalid', `"${url.slice(0, 120)}" is not the address of a mirror.`, {
    help: 'Give it as https://host/path, without a name, a password or a query.',
  });
}

/** Throws `mirror-failed`. A redirection is none of ours: an invite must not send members elsewhere. */
async function ask(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error('no answer')), HEADER_MS);
  try {
    const all = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    return await fetch(url, {
      ...init,
      signal: all,
      redirect: 'error',
      headers: { 'accept-encoding': 'identity', ...init.headers },
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw failed(url, timeout.signal.aborted ? 'it does not answer' : reasonOf(cause), cause);
  } finally {
    clearTimeout(timer);
  }
}

/** The body from `offset` on: a server without ranges sends what is already here too, which is skipped. */
async function* chunksFrom(
  response: Response,
  offset: number,
  id: Hash,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const range = response.status === 206 ? parseContentRange(response.headers.get('content-range')) : undefined;
  const isUsable = response.status === 200 || (range !== undefined && range.first === offset);
  if (!isUsable || !response.body) throw failed(response.url, `it answers ${response.status} for ${shortId(id)}`);
  let skip = response.status === 200 ? offset : 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await within(reader.read(), response.url, signal);
    if (done) return;
    const chunk = value.subarray(Math.min(skip, value.length));
    skip -= value.length - chunk.length;
    if (chunk.length > 0) yield chunk;
  }
}

async function within<T>(work: Promise<T>, url: string, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp = () => {};
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed(url, 'it sends nothing more')), IDLE_MS);
    giveUp = () => reject(signal!.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

function failed(url: string, reason: string, cause?: unknown): WorldError {
  return new WorldError('mirror-failed', `The mirror ${new URL(url).origin} cannot be used: ${reason}.`, {
    facts: { mirror: new URL(url).origin, reason },
    help: 'Other members and mirrors are asked; check the address if nobody has the artifact.',
    cause,
  });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED' ? 'nothing listens there' : 'the connection failed';
}
