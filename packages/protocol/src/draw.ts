/** Who does what: every draw is a function of a seed and the members, so that each receiver recomputes every role. */
import { below, type DeviceId, type Hash, hashOf, SeededRandom, shuffled } from '@folkmoot/core';
import { segmentsPerRound } from '@folkmoot/records';
import type { Audit, Member, State } from './state.ts';

/** Ready devices, at most one an account, in ascending order. */
export function readyDevices(state: State): DeviceId[] {
  const taken = new Set<string>();
  const devices: DeviceId[] = [];
  for (const device of Object.keys(state.members).sort()) {
    const member = state.members[device]!;
    if (!member.ready || member.banned || taken.has(member.account)) continue;
    taken.add(member.account);
    devices.push(device);
  }
  return devices;
}

export function drawTrainers(state: State, seed: Hash): DeviceId[] {
  const order = shuffled(new SeededRandom(hashOf('trainers', seed)), readyDevices(state));
  return order.slice(0, state.charter.committee.maxTrainers);
}

/** Witnesses by verified past work, founders first: newcomers in any number decide nothing. */
export function drawWitnesses(state: State, seed: Hash, draw: number): DeviceId[] {
  const order = shuffled(new SeededRandom(hashOf('witnesses', seed, draw)), seniors(state));
  return order.slice(0, state.charter.committee.maxWitnesses).sort();
}

/** The next auditor of `audit`: never its own account, nobody twice. `undefined` where nobody is left. */
export function drawAuditor(
  state: State,
  audit: Pick<Audit, 'auditSeed' | 'trainer' | 'auditors'>,
): DeviceId | undefined {
  const own = state.members[audit.trainer]!.account;
  const candidates = seniors(state).filter(
    (device) => state.members[device]!.account !== own && !audit.auditors.includes(device),
  );
  if (candidates.length === 0) return undefined;
  const random = new SeededRandom(hashOf('auditor', audit.auditSeed, audit.trainer, audit.auditors.length));
  return candidates[below(random, candidates.length)];
}

/** Whether a trainer's round is audited and in which segment: from one for newcomers down to the charter's floor. */
export function drawSegment(state: State, auditSeed: Hash, trainer: DeviceId): number | undefined {
  const random = new SeededRandom(hashOf('audit', auditSeed, trainer));
  const drawn = below(random, 1_000_000) < auditPpm(state.charter.audit.floorPpm, state.members[trainer]!);
  return drawn ? 1 + below(random, segmentsPerRound(state.charter)) : undefined;
}

/** Probability of an audit in parts per million: 1/(1 + clean audits), not below the floor. */
export function auditPpm(floorPpm: number, member: Pick<Member, 'cleanAudits' | 'auditDue'>): number {
  return member.auditDue ? 1_000_000 : Math.max(floorPpm, Math.floor(1_000_000 / (1 + member.cleanAudits)));
}

/** Ready devices with verified work or a founder's seat; all ready ones where these are fewer than two. */
function seniors(state: State): DeviceId[] {
  const ready = readyDevices(state);
  const senior = ready.filter(
    (device) => state.members[device]!.founder || state.members[device]!.verifiedSegments > 0,
  );
  return senior.length >= 2 ? senior : ready;
}
