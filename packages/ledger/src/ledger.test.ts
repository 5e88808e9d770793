import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import fc from 'fast-check';
import {
  balanceOf,
  creditsRoot,
  emptyLedger,
  forfeit,
  freeze,
  isPaid,
  type Ledger,
  type Outcome,
  openAccount,
  type Settlement,
  settle,
  thaw,
  unlock,
} from './index.ts';

const RULES = { perSegment: 10, vestingRounds: 20 };
const [ADA, BOB] = ['0xaa', '0xbb'] as const;

function settlement(account: string, round: number, segments: number): Settlement {
  return { round, device: hashOf(account), account, outcome: 'matched', segments, evidence: {} };
}

function ledgerWith(...settlements: Settlement[]): Ledger {
  const ledger = emptyLedger();
  for (const account of [ADA, BOB]) openAccount(ledger, account);
  for (const each of settlements) settle(ledger, RULES, each);
  return ledger;
}

test('a round’s credit is earned at once and unlocks whole, when its time has passed and not a round before', () => {
  const ledger = ledgerWith(settlement(ADA, 5, 4), settlement(ADA, 7, 4));
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 0, earned: 80, locked: 80, unlocked: 0, forfeited: 0 });
  unlock(ledger, RULES, 26);
  assert.equal(balanceOf(ledger, ADA).unlocked, 0);
  unlock(ledger, RULES, 27);
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 0, earned: 80, locked: 40, unlocked: 40, forfeited: 0 });
  unlock(ledger, RULES, 28);
  assert.equal(balanceOf(ledger, ADA).unlocked, 40);
  unlock(ledger, RULES, 1000);
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 0, earned: 80, locked: 0, unlocked: 80, forfeited: 0 });
});

test('a fault takes what is locked, no more, once, and from nobody else', () => {
  const ledger = ledgerWith(settlement(ADA, 1, 4), settlement(BOB, 1, 4), settlement(ADA, 9, 2));
  unlock(ledger, RULES, 23);
  assert.equal(forfeit(ledger, ADA), 20);
  assert.equal(forfeit(ledger, ADA), 0);
  assert.deepEqual(balanceOf(ledger, ADA), { carried: 0, earned: 60, locked: 0, unlocked: 40, forfeited: 20 });
  assert.equal(balanceOf(ledger, BOB).unlocked, 40);
  assert.equal(forfeit(ledger, '0xcc'), 0);
});

test('nothing of a frozen account unlocks, and all that is due when it thaws', () => {
  const ledger = ledgerWith(settlement(ADA, 1, 4), settlement(BOB, 1, 4));
  freeze(ledger, ADA);
  unlock(ledger, RULES, 50);
  assert.deepEqual([balanceOf(ledger, ADA).locked, balanceOf(ledger, BOB).locked], [40, 0]);
  thaw(ledger, ADA);
  unlock(ledger, RULES, 51);
  assert.equal(balanceOf(ledger, ADA).unlocked, 40);
  assert.throws(() => thaw(ledger, ADA), /bug/);
});

test('what is settled late unlocks by its own round', () => {
  const ledger = ledgerWith(settlement(ADA, 9, 1), settlement(ADA, 8, 1));
  unlock(ledger, RULES, 30);
  assert.equal(balanceOf(ledger, ADA).locked, 10);
  unlock(ledger, RULES, 31);
  assert.equal(balanceOf(ledger, ADA).locked, 0);
});

test('opening an account twice takes nothing away; an account that is not open is a bug', () => {
  const ledger = ledgerWith(settlement(ADA, 1, 1));
  openAccount(ledger, ADA);
  assert.equal(balanceOf(ledger, ADA).earned, 10);
  assert.throws(() => settle(ledger, RULES, settlement('0xcc', 1, 1)), /bug/);
  for (const segments of [-1, 0.05, Number.NaN])
    assert.throws(() => settle(ledger, RULES, settlement(ADA, 1, segments)), /bug/);
  assert.deepEqual(balanceOf(ledger, '0xcc'), { carried: 0, earned: 0, locked: 0, unlocked: 0, forfeited: 0 });
});

test('the root depends on what accounts hold, not on who came first', () => {
  const one = ledgerWith(settlement(ADA, 1, 1), settlement(BOB, 2, 3));
  const other = emptyLedger();
  for (const account of [BOB, ADA]) openAccount(other, account);
  settle(other, RULES, settlement(BOB, 2, 3));
  settle(other, RULES, settlement(ADA, 1, 1));
  assert.equal(creditsRoot(other), creditsRoot(one));
  assert.notEqual(creditsRoot(ledgerWith(settlement(ADA, 1, 3), settlement(BOB, 2, 1))), creditsRoot(one));
  assert.notEqual(creditsRoot(ledgerWith(settlement(ADA, 2, 1), settlement(BOB, 2, 3))), creditsRoot(one));
  assert.equal(creditsRoot(ledgerWith()), '812bac0c91d0135174f158d12deaa4c815b55ed1a0081fbca04aed64f4afdf91');
});

test('I6: earned is the sum of paid segments times the rate, whatever happens in between', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('settle' as const),
      account: fc.constantFrom(ADA, BOB),
      round: fc.nat(60),
      segments: fc.nat(8),
    }),
    fc.record({ kind: fc.constant('unlock' as const), round: fc.nat(80) }),
    fc.record({ kind: fc.constant('forfeit' as const), account: fc.constantFrom(ADA, BOB) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const ledger = ledgerWith();
      const paid: Record<string, number> = { [ADA]: 0, [BOB]: 0 };
      let issued = 0;
      for (const each of steps) {
        if (each.kind === 'settle') {
          settle(ledger, RULES, settlement(each.account, each.round, each.segments));
          paid[each.account]! += each.segments * RULES.perSegment;
          issued += each.segments * RULES.perSegment;
        } else if (each.kind === 'unlock') unlock(ledger, RULES, each.round);
        else forfeit(ledger, each.account);
        for (const account of [ADA, BOB]) {
          const { earned, locked, unlocked, forfeited } = balanceOf(ledger, account);
          assert.equal(earned, paid[account]);
          assert.equal(locked + unlocked + forfeited, earned);
          assert.ok(locked >= 0 && unlocked >= 0 && forfeited >= 0);
        }
      }
      assert.equal(balanceOf(ledger, ADA).earned + balanceOf(ledger, BOB).earned, issued);
    }),
  );
});

test('who is paid is a short list', () => {
  const all: Outcome[] = ['matched', 'within', 'not-drawn', 'no-verdict', 'mismatch', 'tainted', 'not-opened'];
  all.push('unavailable', 'excluded', 'not-revealed', 'late', 'void');
  assert.deepEqual(all.filter(isPaid), ['matched', 'within', 'not-drawn', 'no-verdict']);
});
