/** Memory bomb: whoever asks it for an artifact is offered more than fits, or gets bytes without an end. */
import { canonicalBytes, fromUtf8 } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { serving } from './serving.ts';

const CHUNK = new Uint8Array(64 * 1024);
/** A gibibyte: as good as endless, and a simulated world ends. */
const CHUNKS = 16_384;

export const memoryBomb = (): Conduct => {
  let asked = 0;
  return {
    network: (network) =>
      serving(
        network,
        'artifact',
        (honest) =>
          async function* (peer, request, signal) {
            if (fromUtf8(request).includes('"offset":-1')) {
              // Every other time the size is true, so that somebody comes for the bytes.
              if (asked++ % 2 === 0) yield canonicalBytes({ size: Number.MAX_SAFE_INTEGER });
              else yield* honest(peer, request, signal);
              return;
            }
            for (let sent = 0; sent < CHUNKS && !signal.aborted; sent++) yield CHUNK;
          },
      ),
  };
};
