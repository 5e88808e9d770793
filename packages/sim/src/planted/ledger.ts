/** Bugs in who is paid what. */
import type { PlantedBug } from './bug.ts';

const bug = (
  name: string,
  about: string,
  file: string,
  find: string,
  put: string,
  by: PlantedBug['by'] = 'worlds',
): PlantedBug => ({
  name,
  area: 'ledger',
  about,
  file: `packages/${file}`,
  find,
  put,
  by,
});

export const LEDGER_BUGS: readonly PlantedBug[] = [
  bug(
    'void-is-paid',
    'a void round pays its trainers',
    'ledger/src/settlement.ts',
    "new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld'])",
    "new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld', 'void'])",
  ),
  bug(
    'late-is-paid',
    'whoever has a seat is paid',
    'ledger/src/settlement.ts',
    "new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld'])",
    "new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld', 'late', 'not-revealed'])",
  ),
  bug(
    'no-verdict-is-not-paid',
    'silent auditors cost the trainer its pay',
    'ledger/src/settlement.ts',
    "new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld'])",
    "new Set(['matched', 'within', 'not-drawn', 'reproduced', 'upheld'])",
    'packages/ledger/src/ledger.test.ts',
  ),
  bug(
    'locks-out-of-order',
    'locks are kept in the order in which audits end',
    'ledger/src/ledger.ts',
    'account.locks.sort((a, b) => a.round - b.round);',
    '',
  ),
  bug(
    'unlocked-late',
    'credit unlocks a round too late',
    'ledger/src/ledger.ts',
    'account.locks = account.locks.filter((lock) => vestsIn(rules, lock) > round);',
    'account.locks = account.locks.filter((lock) => vestsIn(rules, lock) >= round);',
  ),
  bug(
    'forfeit-keeps',
    'forfeited credit stays locked and unlocks',
    'ledger/src/ledger.ts',
    'holder.forfeited += amount;\n  holder.locks = [];',
    'holder.forfeited += amount;',
  ),
  bug(
    'credits-in-any-order',
    'the credits root depends on who came first',
    'ledger/src/ledger.ts',
    '.sort()\n    .map((id) => rowText(',
    '.map((id) => rowText(',
  ),
  bug(
    'paid-by-the-step',
    'a round pays its steps, not its segments',
    'protocol/src/settle.ts',
    'const segments = isPaid(fate.outcome) && !member.banned ? fate.segments : 0;',
    'const segments = isPaid(fate.outcome) && !member.banned ? state.charter.stepsPerRound : 0;',
  ),
  bug(
    'every-refusal-forfeits',
    'a refusal costs locked credit without two thirds of a jury',
    'protocol/src/settle.ts',
    'return isConvicted(state.charter, audit) ? convict(state, audit.trainer, audit.round, context) : null;',
    'return convict(state, audit.trainer, audit.round, context);',
    'packages/protocol/src/stakes.test.ts',
  ),
  bug(
    'frozen-credit-unlocks',
    'whoever does not open what was drawn keeps its locked credit all the same',
    'ledger/src/ledger.ts',
    'if (account.frozen > 0 || account.locks.length === 0) continue;',
    'if (account.locks.length === 0) continue;',
  ),
  bug(
    'rows-leave-out-freezes',
    'a header does not say which accounts are frozen, so that a fork unlocks what they owe',
    'ledger/src/rows.ts',
    'locks.map(({ round, amount }) => [round, amount]),\n    frozen,',
    'locks.map(({ round, amount }) => [round, amount]),\n    0,',
  ),
  bug(
    'leased-is-paid-whole',
    'a vanished trainer is paid its whole round',
    'protocol/src/reproduce.ts',
    "outcome: 'reproduced', segments: segment, ...evidence }",
    "outcome: 'reproduced', ...evidence }",
  ),
];
