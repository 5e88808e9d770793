export { ADMISSION, type AdmissionCode, admissionCode, ticketKey } from './admission.ts';
export { apply, check, continues, nextDeadline } from './apply.ts';
export { auditPpm } from './draw.ts';
export { type Duty, duties } from './duties.ts';
export type { Event } from './events.ts';
export { canLapse } from './reserves.ts';
export { stateRootOf } from './round.ts';
export * from './state.ts';
