/** A run that this home does not take part in, fetched by its invite to be read: its charter, its papers, its log. */
import { randomBytes } from 'node:crypto';
import { isWorldError } from '@folkmoot/core';
import { createNetwork, httpMirror } from '@folkmoot/network';
import { Artifacts, copyLog, fetchCharter, fetchLineage, Log, systemClock } from '@folkmoot/node';
import type { Invite } from '@folkmoot/records';
import { openCells, openDiskStore, openJournal } from '@folkmoot/store';
import type { Invocation } from '../invocation.ts';
import { keepRun, runFolder } from './run-folder.ts';
import { checkHeader, reachSomebody } from './session.ts';

/**
 * Files the run in `home`, where it can be opened from then on; nothing is said in its log. Throws `invite-unreachable`,
 * `invite-foreign`, `lineage-false`, `peer-failed`.
 */
export async function fetchRun(call: Invocation, home: string, invite: Invite): Promise<void> {
  const { run, name, addresses, mirrors = [], header } = invite;
  const signal = call.stopSignal();
  const folder = runFolder(home, run);
  const network = await createNetwork({ secret: new Uint8Array(randomBytes(32)) });
  try {
    await reachSomebody(network, addresses, signal);
    const store = await openDiskStore({ path: folder.store });
    const artifacts = new Artifacts(network, store, systemClock, undefined, mirrors.map(httpMirror));
    const charter = await fetchCharter(artifacts, run, signal);
    const { shares } = await fetchLineage(artifacts, charter, systemClock, signal);
    call.note('fetching the log …');
    const log = await Log.open(charter, await openJournal(folder.journal), await openCells(folder.cells), shares);
    try {
      await copyFromAnybody(network, log, signal);
      await checkHeader({ log }, header);
    } finally {
      await log.close();
    }
    await keepRun(home, { run, name, doors: addresses, port: 0, addresses: [], command: 'fork' });
  } finally {
    await network.close();
  }
}

/** From the first of the peers whose log holds. */
async function copyFromAnybody(
  network: Awaited<ReturnType<typeof createNetwork>>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let cause: unknown;
  for (const peer of network.peers()) {
    try {
      return await copyLog(network, peer, log, signal);
    } catch (error) {
      if (!isWorldError(error)) throw error;
      cause = error;
    }
  }
  throw cause;
}
