/** Bugs in how a disputed finding is brought down to one operator, and in what that costs. */
import type { PlantedBug } from './bug.ts';

const bug = (
  name: string,
  about: string,
  file: string,
  find: string,
  put: string,
  by: PlantedBug['by'] = 'packages/protocol/src/disputes.test.ts',
): PlantedBug => ({ name, area: 'disputes', about, file: `packages/${file}`, find, put, by });

const ARBITRATED = 'packages/node/src/tensor-arbitration.test.ts';

export const DISPUTE_BUGS: readonly PlantedBug[] = [
  bug(
    'silence-is-proof',
    'a trainer that does not answer is proven wrong',
    'protocol/src/disputes.ts',
    "turn === 'trainer' ? 'left' : 'withdrawn'",
    "turn === 'trainer' ? 'proven' : 'withdrawn'",
  ),
  bug(
    'silent-accusers-win',
    'an accuser that does not answer leaves its finding standing',
    'protocol/src/disputes.ts',
    "turn === 'trainer' ? 'left' : 'withdrawn'",
    "'left'",
  ),
  bug(
    'half-the-judges',
    'half of the judges decide',
    'protocol/src/disputes.ts',
    'isTwoThirds(given.filter((one) => one === outcome).length, judges.length)',
    '2 * given.filter((one) => one === outcome).length > judges.length',
  ),
  bug(
    'own-judges',
    'the two sides may be their own judges',
    'protocol/src/disputes.ts',
    'running.judges = able.filter((device) => !sides.includes(state.members[device]!.account)).slice(0, MAX_JUDGES);',
    'running.judges = able.filter(() => sides.length > 0).slice(0, MAX_JUDGES);',
  ),
  bug(
    'moves-out-of-turn',
    'anybody moves for whoever’s turn it is',
    'protocol/src/disputes.ts',
    "if (running.game.turn === 'judges' || body.device !== side) return 'it is another’s turn';",
    "if (running.game.turn === 'judges' || side === '') return 'it is another’s turn';",
  ),
  bug(
    'claims-of-anything',
    'a claimed tree need not end in what was committed',
    'protocol/src/dispute-game.ts',
    "return isSpine(move.spine, move.leaves, last) ? null : 'the claim does not end in what was committed';",
    "return last.length > 0 ? null : 'the claim does not end in what was committed';",
  ),
  bug(
    'proof-costs-nothing',
    'a trainer that is proven wrong keeps what it has locked',
    'protocol/src/disputes.ts',
    '    convict(state, found.audit.trainer, found.audit.round, context);\n',
    '',
  ),
  bug(
    'refuted-and-unpaid',
    'a trainer against whom nothing is left is not paid after all',
    'protocol/src/disputes.ts',
    'if (isCleared) vindicate(state, found, context);',
    '',
  ),
  bug(
    'asked-again-and-lost',
    'a trainer whose engine gives other bits when it is asked again cannot defend itself',
    'node/src/tensor-arbitration.ts',
    'isLast && paid !== undefined && this.#leadsTo(before!, state, paid)',
    'paid === null',
    ARBITRATED,
  ),
  bug(
    'whatever-was-paid',
    'a trainer claims whatever end it has committed to, wherever its last step leads',
    'node/src/tensor-arbitration.ts',
    'isLast && paid !== undefined && this.#leadsTo(before!, state, paid)',
    'isLast && paid !== undefined',
    ARBITRATED,
  ),
];
