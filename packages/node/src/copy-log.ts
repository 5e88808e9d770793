/** A copy of the log for those who only read it: taken once, up to where a peer's ends. */
import { type Canonical, canonicalBytes, type DeviceId, type Network, WorldError } from '@folkmoot/core';
import { readEntry } from '@folkmoot/protocol';
import { MAX_ENTRY_BYTES, parseJson } from '@folkmoot/records';
import type { Log } from './log.ts';

const IDLE_MS = 16_000;

/** Appends what `peer` has beyond `log`, each entry checked. Throws `peer-failed` at the first that is not the next one. */
export async function copyLog(network: Network, peer: DeviceId, log: Log, signal: AbortSignal): Promise<void> {
  const request = canonicalBytes({ run: log.state.run, from: log.length } as Canonical);
  const limits = { idleMs: IDLE_MS, maxMessageBytes: MAX_ENTRY_BYTES };
  const done = new AbortController();
  try {
    for await (const message of network.open(peer, 'log', request, limits, AbortSignal.any([signal, done.signal]))) {
      // The first empty message says: this is all there is so far.
      if (message.length === 0) return;
      const json = parseJson(message, MAX_ENTRY_BYTES);
      const entry = json.ok ? readEntry(log.state, json.value) : json;
      if (!entry.ok)
        throw new WorldError('peer-failed', `A peer sent a log entry that is not the next one: ${entry.reason}.`, {
          facts: { peer, index: log.length },
        });
      await log.append(entry.value);
    }
  } finally {
    done.abort();
  }
}
