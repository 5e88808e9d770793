export { ADMISSION, type AdmissionCode, admissionCode, ticketKey } from './admission.ts';
export { type Ancestry, AncestryReader, creditBytes } from './ancestry.ts';
export { apply, check, nextDeadline } from './apply.ts';
export * from './cases.ts';
export type { DisputeDuty } from './dispute-duties.ts';
export * from './dispute-game.ts';
export * from './dispute-players.ts';
export { auditPpm } from './draw.ts';
export { type Duty, duties } from './duties.ts';
export { type Equivocation, proveEquivocation } from './equivocation.ts';
export type { Event } from './events.ts';
export * from './lineage.ts';
export { pedigreeBytes, readLinks, readPedigree, type Shown } from './pedigree.ts';
export { canLapse } from './reserves.ts';
export { stateRootOf } from './round.ts';
export * from './state.ts';
export {
  continues,
  highestLock,
  holdsHeader,
  objectionTo,
  objectionToSuccession,
  readEntry,
  successorOf,
} from './succession.ts';
export { isGrave } from './weigh.ts';
