/** Gzip files, decompressed no further than a limit. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { concat } from '@folkmoot/core';

export type Gunzipped =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Beyond the limit: no more than that was decompressed. */
  | { readonly kind: 'inflated' }
  | { readonly kind: 'damaged' };

/** The contents of the gzip file at `path`, at most `maxBytes`. Throws what opening the file throws. */
export async function gunzipFile(path: string, maxBytes: number): Promise<Gunzipped> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    await pipeline(createReadStream(path), createGunzip(), async (source: AsyncIterable<Uint8Array>) => {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > maxBytes) throw new TooMuch();
        chunks.push(chunk);
      }
    });
    return { kind: 'bytes', bytes: concat(chunks) };
  } catch (error) {
    if (error instanceof TooMuch) return { kind: 'inflated' };
    // zlib's own codes; the file system's begin with E.
    if (/^Z_|^ERR_/.test((error as NodeJS.ErrnoException).code ?? '')) return { kind: 'damaged' };
    throw error;
  }
}

class TooMuch extends Error {}
