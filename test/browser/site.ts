/** A module as a page: bundled as an application would bundle it, and served on loopback. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface SiteOptions {
  /** Whether pages may share memory between threads: sends the headers COOP and COEP. Default true. */
  readonly isolated?: boolean;
  /** What is served in place of a file, to see how a page takes it. `path` begins with a slash. */
  readonly instead?: (path: string, bytes: Buffer) => Buffer;
}

export interface Site {
  /** `http://127.0.0.1:PORT`, a secure context. */
  readonly origin: string;
  close(): Promise<void>;
}

/** A folder with the page's files, to be served as often as one likes. */
export interface Bundle {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Bundles a page that has the exports of `module`, for `callPage`. Takes about a second. */
export async function bundle(module: URL): Promise<Bundle> {
  const source = await mkdtemp(join(tmpdir(), 'folkmoot-page-'));
  const folder = join(source, 'out');
  await writeFile(join(source, 'index.html'), PAGE);
  await writeFile(join(source, 'entry.js'), entry(fileURLToPath(module)));
  await build({
    root: source,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: folder, target: 'es2024', minify: false, reportCompressedSize: false, assetsInlineLimit: 0 },
  });
  return { folder, remove: () => rm(source, { recursive: true }) };
}

/** Serves `bundle` at a free port of loopback. */
export async function serve({ folder }: Bundle, { isolated = true, instead }: SiteOptions = {}): Promise<Site> {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname).replace(/\/$/, '/index.html');
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    response.setHeader('Content-Type', CONTENT_TYPES[extname(path)] ?? 'application/octet-stream');
    response.writeHead(bytes ? 200 : 404).end(bytes && (instead?.(path, bytes) ?? bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => closed(server) };
}

// Browsers ask for an icon, and one that is missing is an error on their console.
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/entry.js"></script>';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Arguments and result travel as JSON, so that no driver's idea of an object comes between. */
function entry(module: string): string {
  return `
    import * as functions from ${JSON.stringify(module)};
    globalThis.callForTest = async (name, args) => {
      try {
        return JSON.stringify({ value: await functions[name](...JSON.parse(args)) });
      } catch (error) {
        const { name, message, stack, code, facts } = error;
        return JSON.stringify({ error: { name, message, stack, code, facts } });
      }
    };
  `;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
