/** Sequencers that misuse their place: the one that leaves out, the one that dawdles, the one that tells two stories. */
import { canonicalBytes, type DeviceId, type DeviceKey, type Hash } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { entryBytes, parseEntry, parseRecord, signEntry } from '@folkmoot/records';
import { serving } from './serving.ts';

const DAWDLE_MS = 2000;
/** Entries that all followers see alike, so that everybody is in before the stories part. */
const COMMON_ENTRIES = 40;

/** Refuses what its victim, the first to speak, has worked and opened, so that the victim seems late. */
export const censor = (): Conduct => {
  let victim: DeviceId | undefined;
  return {
    network: (network) =>
      serving(
        network,
        'submit',
        (honest) =>
          async function* (peer, request, signal) {
            const record = parseRecord(request);
            victim ??= record.ok ? record.value.body.device : undefined;
            const isUnwanted =
              record.ok && record.value.body.device === victim && ['commit', 'open'].includes(record.value.body.kind);
            if (isUnwanted) yield canonicalBytes({ accepted: false, reason: 'not now' });
            else yield* honest(peer, request, signal);
          },
      ),
  };
};

/** Lets every record of the others lie before it takes it. */
export const dawdler = (): Conduct => ({
  network: (network, { clock }) =>
    serving(
      network,
      'submit',
      (honest) =>
        async function* (peer, request, signal) {
          await clock.sleep(DAWDLE_MS, signal);
          yield* honest(peer, request, signal);
        },
    ),
});

/** Tells half of its followers another log: the same records at other times. */
export const forker = (): Conduct => {
  const told = new Map<number, Hash>();
  /** The entry as the fooled get it, after the one that they got before. */
  const otherwise = (message: Uint8Array, key: DeviceKey): Uint8Array => {
    const entry = parseEntry(message, key.id);
    if (!entry.ok || entry.value.index < COMMON_ENTRIES) return message;
    const { index, prev, atMs, term, record } = entry.value;
    const other = signEntry({ index, prev: told.get(index - 1) ?? prev, atMs: atMs + 1, term }, record, key);
    told.set(index, other.id);
    return entryBytes(other);
  };
  return {
    network: (network, { key }) =>
      serving(
        network,
        'log',
        (honest) =>
          async function* (peer, request, signal) {
            const isFooled = Number.parseInt(peer[0]!, 16) % 2 === 1;
            for await (const message of honest(peer, request, signal))
              yield isFooled && message.length > 0 ? otherwise(message, key) : message;
          },
      ),
  };
};
