export { Artifacts } from './artifacts.ts';
export { ask, askJson } from './exchange.ts';
export { Log, retell } from './log.ts';
export { Member, type MemberParts } from './member.ts';
export type { Notice } from './notices.ts';
export { systemClock } from './system-clock.ts';
export {
  assignmentOf,
  type Conduct,
  errorIn,
  type Offer,
  startState,
  type TrainDuty,
  trainHonestly,
} from './trainer.ts';
export type { Assignment, Distance, SegmentEnd, StateBytes, Work } from './work.ts';
export type { Workbench } from './workbench.ts';
