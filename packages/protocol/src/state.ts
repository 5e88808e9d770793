/**
 * The state of a run: everything that the log decides, as plain data.
 *
 * It is one JSON value, so that it can be hashed into a header, kept as a snapshot and compared byte for byte. Tables are
 * keyed by device id; whatever must have an order is sorted when it is used.
 */
import { type AccountId, assert, type DeviceId, type Hash } from '@folkmoot/core';
import { firstLedger, type Ledger, type Share } from '@folkmoot/ledger';
import { type Charter, type Header, runId } from '@folkmoot/records';
import type { Case } from './cases.ts';
import type { Help, Scoring } from './help.ts';
import { emptyPace, type Pace } from './pace.ts';
import type { Reproduction } from './reproduce.ts';

/** What a device carries from round to round. */
export interface Carry {
  moments: Hash;
  error: Hash;
  /** Inner steps since the moments were zeros. */
  steps: number;
  /** The round whose end this is; 0 for zeros. */
  round: number;
  /** The round that started from zeros: all from there on stand and fall together. 0 for zeros. */
  since: number;
}

export interface Member {
  account: AccountId;
  name: string;
  seq: number;
  /** Takes part in the next draw. False after silence, until the device says `ready` again. */
  ready: boolean;
  /** Was ready at the first assignment: takes witness seats before it has verified work. */
  founder: boolean;
  /** Proven at fault: never drawn again. */
  banned: boolean;
  /** Disowned by its account: inert from then on. */
  revoked: boolean;
  tip: Hash;
  engine: string;
  carry: Carry;
  cleanAudits: number;
  failedAudits: number;
  /** Audited next time whatever the draw says: the last audit had no verdict. */
  auditDue: boolean;
  /** As an auditor it was contradicted by more than two thirds: is not asked again before a clean audit of its own. */
  overruled: boolean;
  /** The audit that it has not opened, which keeps its account's credit locked. */
  owes: Audit | null;
  /** The last rounds whose states audits refused. */
  refusedRounds: number[];
  /** `ready` records in the round at hand: a bound on chatter. */
  readies: { round: number; count: number };
  /** Segments of rounds that an audit has matched: what makes a senior. */
  verifiedSegments: number;
  /** How much its updates help on its own rows, beside what is usual. */
  help: Help;
  /** Keys of the audits and reproductions in which the device is trainer or auditor. */
  audits: string[];
  /** Keys of the cases in which the device is trainer, accuser or judge. */
  cases: string[];
}

export interface Committed {
  id: Hash;
  traceRoot: Hash;
  blind: Hash;
  momentsOut: Hash;
  errorOut: Hash;
  engine: string;
}

/** A trainer's place in a round. */
export interface Seat {
  seat: number;
  /** Segments at its beginning that others had leased before they vanished: the device works those that come after. */
  skip: number;
  /** What the device starts from; its commit must name the same. */
  carryIn: Carry;
  commit: Committed | null;
  update: Hash | null;
  updateBytes: number;
}

/** What keepers have said of a trainer that shows no sign of life. */
export interface Lapse {
  /** Keepers that say so since its last answer. */
  by: DeviceId[];
  /** The furthest lease that any of them held. */
  lease: { segment: number; mark: Hash } | null;
  /** How often the trainer has said otherwise, and when last. */
  answers: number;
  answeredAtMs: number;
  /** Who works on its rows now. */
  standIn: DeviceId | null;
  /** The entry from which on nobody waits for it. */
  entry: number | null;
}

export type Phase = 'open' | 'train' | 'reveal' | 'witness' | 'finalize' | 'seal';

/** The fields of a header that the log decides before anybody aggregates. */
export type ExpectedHeader = Omit<Header, 'aggregate' | 'nextBase'>;

export interface Round {
  /** From 1. */
  number: number;
  phase: Phase;
  /** Time of the entry that began the phase. */
  phaseAtMs: number;
  /** The phase ends at the first entry at or after this; null while nothing has to happen. */
  deadlineMs: number | null;
  /** A quorum has delivered and the grace runs. */
  grace: boolean;
  /** Of those who are still here: from how many the phase wants something, and how many have done it. */
  tally: { expected: number; delivered: number };
  /** Devices that joined while it lasted. */
  joins: number;
  /** Draws the trainers, the witnesses and the rows. */
  seed: Hash;
  seats: Record<DeviceId, Seat>;
  /** Who had a seat, has said that it leaves, and has not been ready since. */
  left: DeviceId[];
  /** Who stands by for seats whose trainers vanish, in the order of their turn. */
  reserves: DeviceId[];
  /** The witnesses to whom trainers show their leases, ascending. */
  keepers: DeviceId[];
  /** By trainer. */
  lapses: Record<DeviceId, Lapse>;
  /** By reserve: whose rows it has taken over. Both hold the same seat. */
  standsFor: Record<DeviceId, DeviceId>;
  /** Which draw of witnesses, from 0. */
  draw: number;
  witnesses: DeviceId[];
  /** What each witness attested, and the preimages shown with it: half of the audit seed. */
  attested: Record<DeviceId, Hash[]>;
  attestPreimages: Record<DeviceId, Hash>;
  /** Trainers whose updates count, ascending. */
  included: DeviceId[];
  expected: ExpectedHeader | null;
  /** Electors of the next round, to whom the header commits. */
  nextElectors: DeviceId[];
  /** The header that a quorum of electors has signed, and the term in which they did; those who have sealed it. */
  certified: { header: Hash; term: number } | null;
  sealed: DeviceId[];
  /** The only header that can be signed: a quorum has signed it in an older term. */
  bound: Hash | null;
  /** Header id that each elector signed, and the preimages shown with it: the next round's seed. */
  signed: Record<DeviceId, Hash>;
  headers: Record<Hash, Header>;
  headerPreimages: Record<DeviceId, Hash>;
}

export interface GivenVerdict {
  id: Hash;
  auditor: DeviceId;
  outcome: 'match' | 'within' | 'mismatch' | 'abstain' | 'unavailable';
  part: 'segment' | 'encode';
  distancePpm: number;
  tensor: string;
}

/** An auditor whose finding is awaited. */
export interface Asked {
  auditor: DeviceId;
  result: Hash | null;
}

/** Whose turn it is: the trainer's in `opening` and `closing`, the auditor's in `running` and `judging`. */
export type AuditStage = 'opening' | 'running' | 'closing' | 'judging';

export interface Audit {
  round: number;
  base: Hash;
  /** The base before it. */
  previous: Hash;
  trainer: DeviceId;
  seat: number;
  /** Segments of the seat before the trainer’s first. */
  skip: number;
  /** The round's seed: names the rows. */
  seed: Hash;
  /** Draws auditors. */
  auditSeed: Hash;
  commit: Committed;
  carryIn: Carry;
  update: Hash;
  updateBytes: number;
  /** From 1, counted from where the trainer began. */
  segment: number;
  stage: AuditStage;
  /** Matches that settle it while nobody finds otherwise. */
  wanted: number;
  /** Asked for again, because it was not shown when it was drawn. */
  again: boolean;
  /** Whose turn it is, with what each has committed to. */
  asked: Asked[];
  /** Everybody who was drawn, in order. */
  auditors: DeviceId[];
  opened: { params: Hash; moments: Hash; previous: Hash } | null;
  closed: { endParams: Hash; endMoments: Hash; lastParams: Hash } | null;
  verdicts: GivenVerdict[];
}

/** What ends when a timer is due; `auditor` is the accuser in a dispute. */
export interface Timer {
  atMs: number;
  key: string;
  stage: AuditStage | 'reproducing' | 'case' | 'dispute';
  /** Whose turn it was: the last that was drawn; the accuser in a dispute. */
  auditor: DeviceId;
}

/** Who was let in, and how often. */
export interface Doors {
  /** By account: its devices in the order in which they joined, accounts that its tickets let in, tickets it took back. */
  accounts: Record<AccountId, { devices: DeviceId[]; admitted: number; withdrawn: number }>;
  /** By `ticketKey`. */
  tickets: Record<string, { used: number; withdrawn: boolean }>;
}

export interface State {
  readonly charter: Charter;
  readonly run: Hash;
  /** The last entry; index −1 and the run id before the first. */
  head: { index: number; id: Hash; atMs: number };
  /** The sequencer's term of office, from 1, and who holds it. */
  term: number;
  sequencer: DeviceId;
  /** The last term that a vote began, and how many rounds were finished then. */
  elected: { term: number; finalized: number };
  /** Who signs the end of the round and votes on the sequencer: fixed by the last header, less those who abstain. */
  electors: DeviceId[];
  /** Id of the last header; the run id before the first. */
  lastHeader: Hash;
  base: Hash;
  /** The base before `base`; the first where there is none. Both say where a round starts. */
  previous: Hash;
  /** Rounds that ended with a header. */
  finalized: number;
  pace: Pace;
  members: Record<DeviceId, Member>;
  doors: Doors;
  round: Round;
  /** Open audits by `auditKey`. */
  audits: Record<string, Audit>;
  /** Open audits by round: a new round waits for those two rounds behind. */
  openAudits: Record<string, number>;
  /** Leased parts of vanished trainers' rounds that are being re-executed, by `reproductionKey`. */
  reproductions: Record<string, Reproduction>;
  /** Audits whose mismatch can be disputed or is, by `auditKey`. */
  cases: Record<string, Case>;
  /** By round, what witnesses measure of its updates. */
  scorings: Record<number, Scoring>;
  timers: Timer[];
  ledger: Ledger;
}

/** The state before the first entry. `shares`: what accounts bring into a fork (`lineage.ts`); a run that carries credit has some. */
export function initialState(charter: Charter, shares?: readonly Share[]): State {
  assert(shares !== undefined || !charter.lineage?.credits, 'what a fork carries is known before its first entry');
  const run = runId(charter);
  return {
    charter,
    run,
    head: { index: -1, id: run, atMs: 0 },
    term: 1,
    sequencer: charter.sequencer,
    elected: { term: 1, finalized: 0 },
    electors: [charter.sequencer],
    lastHeader: run,
    base: charter.initialBase,
    previous: charter.initialBase,
    finalized: 0,
    pace: emptyPace(),
    members: {},
    doors: { accounts: {}, tickets: {} },
    round: openPhase(1, run, 0),
    audits: {},
    openAudits: {},
    reproductions: {},
    cases: {},
    scorings: {},
    timers: [],
    ledger: firstLedger(shares ?? []),
  };
}

/** A round in which nothing has happened yet. */
export function openPhase(number: number, seed: Hash, nowMs: number): Round {
  return {
    number,
    phase: 'open',
    phaseAtMs: nowMs,
    deadlineMs: null,
    grace: false,
    tally: { expected: 0, delivered: 0 },
    joins: 0,
    seed,
    seats: {},
    left: [],
    reserves: [],
    keepers: [],
    lapses: {},
    standsFor: {},
    draw: 0,
    witnesses: [],
    attested: {},
    attestPreimages: {},
    included: [],
    expected: null,
    nextElectors: [],
    certified: null,
    sealed: [],
    bound: null,
    signed: {},
    headers: {},
    headerPreimages: {},
  };
}

export function zeroCarry(charter: Charter): Carry {
  return { moments: charter.zeroMoments, error: charter.zeroError, steps: 0, round: 0, since: 0 };
}

/** Whether nothing that the device says counts any more. */
export function isBarred(member: Pick<Member, 'banned' | 'revoked'>): boolean {
  return member.banned || member.revoked;
}

/** Whether a round that starts from `carryIn` is built on a state that an audit has refused. */
export function isTainted(member: Member, carryIn: Carry): boolean {
  return (
    carryIn.round > 0 && member.refusedRounds.some((refused) => carryIn.since <= refused && refused <= carryIn.round)
  );
}

export function auditKey(round: number, trainer: DeviceId): string {
  return `${round}:${trainer}`;
}

/** An independent copy: `apply` changes the state that it is given. */
export function copyState(state: State): State {
  return structuredClone(state);
}
