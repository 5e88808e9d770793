/** Copycat: offers what somebody else revealed in an earlier round, and claims states to match. */
import type { Hash } from '@folkmoot/core';
import type { Conduct, Workbench } from '@folkmoot/node';
import { claimNothing } from './claims.ts';
import { offerNoise } from './free-rider.ts';

export const copycat = (): Conduct => ({
  offer: async (bench, duty, signal) => {
    const update = await othersUpdate(bench, signal);
    return update ? claimNothing(bench, duty, update, signal) : offerNoise(bench, duty, signal);
  },
});

/** The newest update that another device revealed; none in the first round. */
async function othersUpdate(
  { log, artifacts, work, key }: Workbench,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  for (let index = log.length - 1; index >= log.heldFrom; index--) {
    const body = log.recordAt(index);
    if (body.kind !== 'reveal' || body.device === key.id) continue;
    return fetched(artifacts, body.update, body.device, work.maxUpdateBytes, signal);
  }
  return undefined;
}

function fetched(artifacts: Workbench['artifacts'], update: Hash, from: string, maxBytes: number, signal: AbortSignal) {
  return artifacts.get(update, { maxBytes, from: [from], signal }).catch(() => undefined);
}
