import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey } from '@folkmoot/core';
import fc from 'fast-check';
import {
  balanceOf,
  creditRows,
  creditsRoot,
  firstLedger,
  forfeit,
  freeze,
  openAccount,
  parseRows,
  rowsBytes,
  rowsRoot,
  rowText,
  settle,
  sharesOf,
  unlock,
} from './index.ts';

const RULES = { perSegment: 10, vestingRounds: 3 };
const [ADA = '', BOB = '', CY = ''] = [5, 6, 7].map((n) => accountKey(new Uint8Array(32).fill(n)).id).sort();

function parent() {
  const ledger = firstLedger([{ account: CY, free: 5, locked: 2 }]);
  for (const account of [ADA, BOB, CY]) openAccount(ledger, account);
  for (const [account, round, segments] of [
    [ADA, 1, 3],
    [ADA, 9, 2],
    [BOB, 9, 1],
  ] as const)
    settle(ledger, RULES, {
      ...{ round, account, segments, device: account, outcome: 'matched' as const },
      evidence: {},
    });
  unlock(ledger, RULES, 6);
  return ledger;
}

const rowsOf = (ledger = parent()) => {
  const read = parseRows(rowsBytes(creditRows(ledger)));
  assert.ok(read.ok, read.ok ? '' : read.reason);
  return read;
};

test('rows that were read again have the root that the header names', () => {
  const ledger = parent();
  assert.equal(rowsOf(ledger).root, creditsRoot(ledger));
  assert.equal(rowsRoot(creditRows(ledger)), creditsRoot(ledger));
  assert.equal(
    rowText({
      ...{ account: ADA, carried: 1, earned: 50, forfeited: 3, frozen: 1 },
      locks: [{ round: 9, amount: 20 }],
    }),
    `["${ADA}",1,50,3,[[9,20]],1]`,
  );
});

test('all of it: what is free stays free, what is locked is locked anew and can be lost', () => {
  const shares = sharesOf(rowsOf().rows, 10_000);
  assert.deepEqual(shares, [
    { account: ADA, free: 30, locked: 20 },
    { account: BOB, free: 0, locked: 10 },
    { account: CY, free: 7, locked: 0 },
  ]);
  const ledger = firstLedger(shares);
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 50, earned: 0, locked: 20, unlocked: 30, forfeited: 0 });
  unlock(ledger, RULES, 4);
  assert.equal(balanceOf(ledger, ADA).locked, 20);
  assert.equal(forfeit(ledger, BOB), 10);
  unlock(ledger, RULES, 5);
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 50, earned: 0, locked: 0, unlocked: 50, forfeited: 0 });
  assert.deepEqual(balanceOf(ledger, BOB), { carried: 10, earned: 0, locked: 0, unlocked: 0, forfeited: 10 });
});

test('of an account that owes an answer nothing locked is carried', () => {
  const ledger = parent();
  freeze(ledger, ADA);
  freeze(ledger, BOB);
  assert.notEqual(creditsRoot(ledger), creditsRoot(parent()), 'the header says so');
  assert.deepEqual(sharesOf(rowsOf(ledger).rows, 10_000), [
    { account: ADA, free: 30, locked: 0 },
    { account: CY, free: 7, locked: 0 },
  ]);
});

test('each part is rounded down by itself, exactly, however large', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (total, basisPoints, part) => {
        const amount = Math.floor(total * part);
        const locks = amount > 0 ? [{ round: 1, amount }] : [];
        const row = { account: ADA, carried: 0, earned: total, forfeited: 0, locks, frozen: 0 };
        const exact = (value: number) => Number((BigInt(value) * BigInt(basisPoints)) / 10_000n);
        const wanted = { account: ADA, free: exact(total - amount), locked: exact(amount) };
        assert.deepEqual(sharesOf([row], basisPoints), wanted.free + wanted.locked > 0 ? [wanted] : []);
      },
    ),
  );
});

test('what is no list of rows is refused', () => {
  const [one = '', two = ''] = creditRows(parent());
  for (const [text, reason] of [
    [one, /cut off/],
    [`${two}\n${one}\n`, /out of order/],
    [`${one}\n${one}\n`, /out of order/],
    [`${one} \n`, /no row/],
    [`${one.replace(',0,', ',-1,')}\n`, /no row/],
    [`${one.replace(',0,', ',0.5,')}\n`, /no row/],
    [`${one.replace(',0,', ',-0,')}\n`, /no row/],
    [`${one.replace(',0,', ',1e99,')}\n`, /no row/],
    [`["${ADA}",0,10,5,[[1,6]],0]\n`, /no row/],
    [`["${ADA}",0,10,0,[[1,6,2]],0]\n`, /no row/],
    [`["${ADA}",9007199254740991,1,0,[],0]\n`, /no row/],
    [`["0xAB",0,0,0,[],0]\n`, /no row/],
    ['{}\n', /no row/],
    ['\n', /no row/],
  ] as const) {
    const read = parseRows(new TextEncoder().encode(text));
    assert.match(read.ok ? `taken: ${text}` : read.reason, reason);
  }
  assert.deepEqual(parseRows(new Uint8Array(0)), { ok: true, rows: [], root: creditsRoot(firstLedger([])) });
});
