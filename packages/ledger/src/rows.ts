/** Rows: each account in one line of text, under the root that a header names. What a fork carries is read from them. */
import {
  type AccountId,
  canonicalJson,
  equalBytes,
  type Hash,
  merkleRoot,
  parseBoundedJson,
  sha256,
  utf8,
} from '@folkmoot/core';

/** A lock for each of tens of thousands of rounds: nothing of a frozen account unlocks. */
const MAX_ROW_BYTES = 2 ** 20;
const BOUNDS = { depth: 3, containers: 2 ** 16, commas: 2 ** 18 };

/** An account as a header commits to it. */
export interface Row {
  readonly account: AccountId;
  readonly carried: number;
  readonly earned: number;
  readonly forfeited: number;
  readonly locks: readonly { readonly round: number; readonly amount: number }[];
  readonly frozen: number;
}

export type ReadRows =
  | { readonly ok: true; readonly rows: readonly Row[]; readonly root: Hash }
  | { readonly ok: false; readonly reason: string };

/** Canonical JSON of `[account, carried, earned, forfeited, [[round, amount], …], frozen]`. */
export function rowText({ account, carried, earned, forfeited, locks, frozen }: Row): string {
  return canonicalJson([
    account,
    carried,
    earned,
    forfeited,
    locks.map(({ round, amount }) => [round, amount]),
    frozen,
  ]);
}

/** Merkle root of the rows' sha-256, in the order given. */
export function rowsRoot(rows: readonly string[]): Hash {
  return merkleRoot(rows.map((row) => sha256(utf8(row))));
}

/** The artifact: a line for each row. */
export function rowsBytes(rows: readonly string[]): Uint8Array {
  return utf8(rows.map((row) => `${row}\n`).join(''));
}

/** Reads what a stranger may have written: rows in ascending order of account, each in its one form, with sums that hold. */
export function parseRows(bytes: Uint8Array): ReadRows {
  const lines: string[] = [];
  const rows: Row[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return { ok: false, reason: 'the last row is cut off' };
    const line = bytes.subarray(at, end);
    const row = rowIn(line);
    if (!row) return { ok: false, reason: `line ${rows.length + 1} is no row` };
    if (rows.length > 0 && row.account <= rows.at(-1)!.account)
      return { ok: false, reason: `line ${rows.length + 1} is out of order` };
    rows.push(row);
    lines.push(rowText(row));
    at = end + 1;
  }
  return { ok: true, rows, root: rowsRoot(lines) };
}

function rowIn(line: Uint8Array): Row | undefined {
  const fields = jsonIn(line);
  if (!Array.isArray(fields) || fields.length !== 6) return undefined;
  const [account, carried, earned, forfeited, pairs, frozen] = fields;
  if (typeof account !== 'string' || !/^0x[0-9a-f]{40}$/.test(account)) return undefined;
  if (![carried, earned, forfeited, frozen].every(isNatural) || !Array.isArray(pairs)) return undefined;
  const locks: { round: number; amount: number }[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(isNatural)) return undefined;
    locks.push({ round: pair[0], amount: pair[1] });
  }
  const row = { account, carried, earned, forfeited, locks, frozen };
  const locked = locks.reduce((sum, { amount }) => sum + amount, 0);
  const isWhole = Number.isSafeInteger(carried + earned) && locked + forfeited <= carried + earned;
  return isWhole && equalBytes(utf8(rowText(row)), line) ? row : undefined;
}

function jsonIn(line: Uint8Array): unknown {
  try {
    return line.length > MAX_ROW_BYTES ? undefined : parseBoundedJson(line, BOUNDS);
  } catch {
    return undefined;
  }
}

// JSON can say −0, and canonical JSON cannot.
const isNatural = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
