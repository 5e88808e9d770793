export type { Arbitration, Claim, Claimed, Fetch, Keep, Place } from './arbitration.ts';
export { artifactRequestIn, sizeIn } from './artifact-sources.ts';
export { Artifacts } from './artifacts.ts';
export { Bases } from './bases.ts';
export type { Conduct } from './conduct.ts';
export { copyLog } from './copy-log.ts';
export { addressesIn, type DialledBack, dialledBackIn, MAX_DIALLED, type Probe, serveDialBack } from './dial-back.ts';
export { join } from './entrance.ts';
export { ask, askJson } from './exchange.ts';
export { artifactSizes } from './expectations.ts';
export { firstDoor } from './first-door.ts';
export { type Forked, type Forking, forkRun, rulesOfRun } from './fork-run.ts';
export { type Founded, type Founding, foundRun } from './found-run.ts';
export { Guard } from './guard.ts';
export { helloIn, welcomeIn } from './hello.ts';
export { joinRequest, type Vouched } from './joining.ts';
export { Keepsakes } from './keepsakes.ts';
export { Leases } from './leases.ts';
export { type Ancestor, fetchLineage, keptShares, type LineageFound } from './lineage.ts';
export { Log, retell } from './log.ts';
export { Member, type MemberParts } from './member.ts';
export { type MemoryBudget, memoryPlan } from './memory-choice.ts';
export { type MemoryNeed, type MemoryQuestion, memoryNeed } from './memory-need.ts';
export { nearestPreset, rulesForModel } from './model-rules.ts';
export type { Notice } from './notices.ts';
export { rememberedAddresses } from './peers.ts';
export { DEFAULT_DATA_BYTES, engineRules, exchangeRules, RUN_PRESETS, type RunRules } from './presets.ts';
export { Promises } from './promises.ts';
export { logRequestIn } from './replication.ts';
export { dutyName, Roles } from './roles.ts';
export { fetchCharter, fetchRunData, type RunData, readManifest } from './run-artifacts.ts';
export { NOT_ORDERING, submitTo } from './sequencer.ts';
export { systemClock } from './system-clock.ts';
export { TaskList } from './task-list.ts';
export { runPrograms, TensorWork } from './tensor-work.ts';
export {
  assignmentOf,
  errorIn,
  type Offer,
  type Offering,
  startState,
  type TrainDuty,
  trainHonestly,
} from './trainer.ts';
export { Voice } from './voice.ts';
export type { Assignment, Distance, SegmentEnd, StateBytes, Work } from './work.ts';
export type { Workbench } from './workbench.ts';
