/** How fast one thread signs and verifies records. */
import { deviceKey, signBytes, utf8, verifyBytes } from '@folkmoot/core';
import { type Figure, medianMs } from './bench.ts';

const BATCH = 1000;

export async function* run(): AsyncIterable<Figure> {
  const key = deviceKey(new Uint8Array(32).fill(7));
  // About the size of a record's canonical text.
  const messages = Array.from({ length: BATCH }, (_, i) => utf8(`${i} `.padEnd(400, 'x')));
  const signatures = messages.map((message) => signBytes(key, message));
  const signMs = await medianMs(3, () => messages.forEach((message) => void signBytes(key, message)));
  yield { name: 'sign', value: BATCH / (signMs / 1000), unit: 'records/s' };
  const verifyMs = await medianMs(3, () => {
    if (!messages.every((message, i) => verifyBytes(key.id, message, signatures[i]!))) throw new Error('not verified');
  });
  yield { name: 'verify', value: BATCH / (verifyMs / 1000), unit: 'records/s' };
}
