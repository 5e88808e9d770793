/** Checking what a fork claims: that it goes on from a sealed header of its parent, and carries what the parent's policy says. */
import type { Hash } from '@folkmoot/core';
import { parseRows, type Share, sharesOf } from '@folkmoot/ledger';
import { brokenLineage, type Charter, type Checked, carriedPoints, headerId } from '@folkmoot/records';
import { readPedigree, type Shown } from './pedigree.ts';

export type { Share } from '@folkmoot/ledger';

/**
 * What the pedigree shows of `fork`'s header, or why its claim is false. `parent` is the charter under the id that `fork`
 * names; the parent's own lineage is not looked at.
 */
export async function checkLineage(
  fork: Charter,
  parent: Charter,
  pedigree: Uint8Array,
  pause?: () => Promise<void>,
): Promise<Checked<Shown>> {
  const reason = brokenLineage(fork, parent);
  if (reason !== undefined) return { ok: false, reason };
  const { lineage, initialBase } = fork;
  const read = await readPedigree(parent, pedigree, pause);
  if (!read.ok) return { ok: false, reason: `its pedigree does not hold: ${read.reason}` };
  const { header } = read.value;
  if (headerId(header) !== lineage!.header) return { ok: false, reason: 'its pedigree is one of another header' };
  if (header.round !== lineage!.round) return { ok: false, reason: 'its header is of another round' };
  return header.nextBase === initialBase ? read : { ok: false, reason: 'it does not start at the header’s base' };
}

/** What accounts bring into a fork whose lineage holds, from the `rows` that it names. */
export function carriedShares(parent: Charter, { header }: Shown, rows: Uint8Array): Checked<readonly Share[]> {
  return sharesIn(parent, rows, header.creditsRoot);
}

/** The same of rows that were checked before: without `root`, any are taken. */
export function sharesIn(parent: Charter, rows: Uint8Array, root?: Hash): Checked<readonly Share[]> {
  const read = parseRows(rows);
  if (!read.ok) return { ok: false, reason: `the credits that it carries cannot be read: ${read.reason}` };
  if (root !== undefined && read.root !== root)
    return { ok: false, reason: 'the credits that it carries are not those of the header' };
  return { ok: true, value: sharesOf(read.rows, carriedPoints(parent)) };
}
