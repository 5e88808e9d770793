/** A fork's lineage, fetched and checked before anything else of it is: parent after parent, and what accounts bring. */
import { type Clock, type DeviceId, type Hash, WorldError } from '@folkmoot/core';
import { carriedShares, checkLineage, type Share, type Shown, sharesIn } from '@folkmoot/protocol';
import { type Charter, type Checked, MAX_ANCESTORS, parseCharter, runId } from '@folkmoot/records';
import type { Artifacts } from './artifacts.ts';
import { MAX_CHARTER_BYTES } from './run-artifacts.ts';

/** A run that another goes on from, and the header at which. */
export interface Ancestor {
  readonly run: Hash;
  readonly name: string;
  readonly round: number;
  readonly header: Hash;
  /** Who could seal that header, and who has. */
  readonly electors: readonly DeviceId[];
  readonly seals: readonly DeviceId[];
}

export interface LineageFound {
  /** The parent first; none where the run is no fork. */
  readonly ancestors: readonly Ancestor[];
  /** What accounts bring; `undefined` where the run carries nothing. */
  readonly shares: readonly Share[] | undefined;
  /** Artifacts that stay for the whole run: whoever joins later checks them too. */
  readonly pinned: readonly Hash[];
}

/**
 * Fetches and checks the lineage of `charter`, parent after parent.
 *
 * Each pedigree is read whole: two signatures for each entry before round 1, and one for each seal. Throws `lineage-false`
 * with the reason, `artifact-unavailable`.
 */
export async function fetchLineage(
  artifacts: Artifacts,
  charter: Charter,
  clock: Clock,
  signal?: AbortSignal,
): Promise<LineageFound> {
  const get = (id: Hash, maxBytes: number) => artifacts.get(id, { maxBytes, signal });
  const ancestors: Ancestor[] = [];
  const pinned: Hash[] = [];
  let shares: readonly Share[] | undefined;
  for (let fork = charter; fork.lineage; ) {
    const { lineage } = fork;
    if (ancestors.length === MAX_ANCESTORS) throw lineageFalse(charter, `it has more than ${MAX_ANCESTORS} ancestors`);
    const parent = taken(fork, parseCharter(await get(lineage.parent, MAX_CHARTER_BYTES), lineage.parent));
    const pedigree = await get(lineage.pedigree.id, lineage.pedigree.bytes);
    const shown = taken(fork, await checkLineage(fork, parent, pedigree, () => clock.sleep(0, signal)));
    pinned.push(lineage.parent, lineage.pedigree.id);
    if (fork === charter && lineage.credits) {
      pinned.push(lineage.credits.id);
      shares = taken(fork, carriedShares(parent, shown, await get(lineage.credits.id, lineage.credits.bytes)));
    }
    ancestors.push(ancestorOf(fork, parent, shown));
    fork = parent;
  }
  return { ancestors, shares, pinned };
}

/**
 * What accounts bring into a run that this home has entered, and whose lineage was checked then. Throws what `get` throws
 * where an artifact is gone.
 */
export async function keptShares(
  charter: Charter,
  get: (id: Hash) => Promise<Uint8Array>,
  parentOf: (run: Hash) => Promise<Charter>,
): Promise<readonly Share[] | undefined> {
  const { lineage } = charter;
  if (!lineage?.credits) return undefined;
  return taken(charter, sharesIn(await parentOf(lineage.parent), await get(lineage.credits.id)));
}

function ancestorOf({ lineage }: Charter, parent: Charter, { header, electors, seals }: Shown): Ancestor {
  return { run: lineage!.parent, name: parent.name, round: header.round, header: lineage!.header, electors, seals };
}

function taken<T>(fork: Charter, checked: Checked<T>): T {
  if (checked.ok) return checked.value;
  throw lineageFalse(fork, checked.reason);
}

function lineageFalse(fork: Charter, reason: string): WorldError {
  return new WorldError('lineage-false', `The lineage that this run claims does not hold: ${reason}.`, {
    facts: { run: runId(fork), parent: fork.lineage!.parent, header: fork.lineage!.header },
    help: 'Whoever founded it has not kept to its parent’s rules, or shows false papers. Leave it alone, or fork the parent yourself.',
  });
}
