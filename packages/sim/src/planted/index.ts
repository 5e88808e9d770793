/** Every bug that is planted: the table docs/results/planted-bugs.md says who notices which. */
import type { PlantedBug } from './bug.ts';
import { COMPLAINT_BUGS } from './complaints.ts';
import { DISPUTE_BUGS } from './disputes.ts';
import { DOOR_BUGS } from './doors.ts';
import { LEDGER_BUGS } from './ledger.ts';
import { NETWORK_BUGS } from './network.ts';
import { PROTOCOL_BUGS } from './protocol.ts';
import { STORE_BUGS } from './store.ts';
import { TERM_BUGS } from './terms.ts';
import { VERIFICATION_BUGS } from './verification.ts';

export type { PlantedBug } from './bug.ts';
export { type Catch, plant } from './plant.ts';
export { readState } from './state.ts';
export { missingRows, notYetNoticed, plantedTable } from './table.ts';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...PROTOCOL_BUGS,
  ...TERM_BUGS,
  ...COMPLAINT_BUGS,
  ...VERIFICATION_BUGS,
  ...DISPUTE_BUGS,
  ...LEDGER_BUGS,
  ...DOOR_BUGS,
  ...STORE_BUGS,
  ...NETWORK_BUGS,
];
