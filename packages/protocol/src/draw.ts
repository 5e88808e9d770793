/** Who does what: every draw is a function of a seed and the members, so that each receiver recomputes every role. */
import { below, type DeviceId, type Hash, hashOf, SeededRandom } from '@folkmoot/core';
import { MAX_ELECTORS, segmentsPerRound } from '@folkmoot/records';
import { raiseOf } from './help.ts';
import { type Audit, isBarred, type Member, type State } from './state.ts';

/** Ready devices, at most one an account, in ascending order. */
export function readyDevices(state: State): DeviceId[] {
  const taken = new Set<string>();
  const devices: DeviceId[] = [];
  for (const device of Object.keys(state.members).sort()) {
    const member = state.members[device]!;
    if (!member.ready || isBarred(member) || taken.has(member.account)) continue;
    taken.add(member.account);
    devices.push(device);
  }
  return devices;
}

/** Whether at least `count` accounts have a ready device. Stops as soon as it knows. */
export function hasReady(state: State, count: number): boolean {
  const accounts = new Set<string>();
  for (const member of Object.values(state.members)) {
    if (member.ready && !isBarred(member)) accounts.add(member.account);
    if (accounts.size >= count) return true;
  }
  return count <= 0;
}

/** Trainers in the order of their seats. */
export function drawTrainers(state: State, seed: Hash): DeviceId[] {
  return rankedForSeats(state, seed).slice(0, state.charter.committee.maxTrainers);
}

/** Who stands by when all seats are taken, in the same order. */
export function drawReserves(state: State, seed: Hash): DeviceId[] {
  const { committee, lease } = state.charter;
  const first = committee.maxTrainers;
  return lease ? rankedForSeats(state, seed).slice(first, first + lease.reserves) : [];
}

/** Seniors first; newcomers in any number stay fewer than they, so that none of them void rounds. */
function rankedForSeats(state: State, seed: Hash): DeviceId[] {
  const ready = readyDevices(state);
  const senior = new Set(seniorsOf(state, ready));
  const newcomers = ready.filter((device) => !senior.has(device));
  return [
    ...ranked([...senior], 'trainers', seed),
    ...ranked(newcomers, 'trainers', seed).slice(0, Math.max(1, senior.size - 1)),
  ];
}

/** Witnesses by verified past work, founders first: newcomers in any number decide nothing. */
export function drawWitnesses(state: State, seed: Hash, draw: number): DeviceId[] {
  const order = ranked(seniorsOf(state, readyDevices(state)), 'witnesses', seed, draw);
  return order.slice(0, state.charter.committee.maxWitnesses).sort();
}

/**
 * Who signs the next header: seniors, one for each account, at most `MAX_ELECTORS`, ascending.
 *
 * Two need each other for ever; of three, two are enough. So where two are here, a third is named of those who had a seat in
 * this round and fell silent: if it comes back, either of the two may vanish.
 */
export function drawElectors(state: State, seed: Hash): DeviceId[] {
  const here = seniorsOf(state, readyDevices(state));
  const silent = here.length === 2 ? ranked(silentSeniors(state, here), 'electors', seed).slice(0, 1) : [];
  return [...ranked(here, 'electors', seed).slice(0, MAX_ELECTORS), ...silent].sort();
}

function silentSeniors(state: State, here: readonly DeviceId[]): DeviceId[] {
  const { members, round } = state;
  const accounts = new Set(here.map((device) => members[device]!.account));
  const silent = Object.keys(round.seats).filter((device) => {
    const member = members[device]!;
    return !member.ready && !isBarred(member) && !accounts.has(member.account) && !round.left.includes(device);
  });
  return seniorsOf(state, silent);
}

/** In the order of a hash of `seed` and each id. */
export function inTurn(devices: readonly DeviceId[], seed: Hash): DeviceId[] {
  return ranked(devices, 'successor', seed);
}

/** Whether two seniors are ready, without whom nobody could be witnessed; or the run has none at all yet. */
export function hasSeniors(state: State): boolean {
  let exist = 0;
  let here = 0;
  for (const member of Object.values(state.members)) {
    if (!isSenior(member)) continue;
    exist++;
    if (member.ready && ++here >= 2) return true;
  }
  return exist < 2;
}

/** Seniors on a ring, each at the hash of the seed and its id, ascending. */
export type AuditorRing = readonly { readonly at: Hash; readonly device: DeviceId }[];

export function auditorRing(state: State, auditSeed: Hash): AuditorRing {
  return seniorsOf(state, readyDevices(state))
    .filter((device) => !state.members[device]!.overruled)
    .map((device) => ({ at: hashOf('auditor-place', auditSeed, device), device }))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/**
 * The next auditor of `audit`: the first on the ring from the hash of the trainer and the draw on, never of its own
 * account, nobody twice. `undefined` where nobody is left.
 *
 * Whoever leaves after the seed is known only takes itself away: it cannot move the choice to a friend of its choosing.
 */
export function auditorOn(
  ring: AuditorRing,
  state: State,
  audit: Pick<Audit, 'auditSeed' | 'trainer' | 'auditors'>,
): DeviceId | undefined {
  const own = state.members[audit.trainer]!.account;
  const start = firstFrom(ring, hashOf('auditor', audit.auditSeed, audit.trainer, audit.auditors.length));
  for (let step = 0; step < ring.length; step++) {
    const { device } = ring[(start + step) % ring.length]!;
    if (state.members[device]!.account !== own && !audit.auditors.includes(device)) return device;
  }
  return undefined;
}

/** Whether a trainer's round of `segments` is audited and in which: from one for newcomers down to the charter's floor. */
export function drawSegment(
  state: State,
  auditSeed: Hash,
  trainer: DeviceId,
  segments = segmentsPerRound(state.charter),
): number | undefined {
  const random = new SeededRandom(hashOf('audit', auditSeed, trainer));
  const drawn = below(random, 1_000_000) < auditPpm(state.charter.audit.floorPpm, state.members[trainer]!);
  return drawn ? 1 + below(random, segments) : undefined;
}

/** Probability of an audit in parts per million: 1/(1 + clean audits), not below the floor; more where it helps little. */
export function auditPpm(floorPpm: number, member: Pick<Member, 'cleanAudits' | 'auditDue' | 'help'>): number {
  const usual = Math.max(floorPpm, Math.floor(1_000_000 / (1 + member.cleanAudits)));
  return member.auditDue ? 1_000_000 : Math.min(1_000_000, raiseOf(member.help) * usual);
}

/**
 * Those of `ready` with verified work or a founder's seat. Everybody counts only while the run has no seniors at all:
 * where they are away, it waits for them rather than hand itself to strangers.
 */
function seniorsOf(state: State, ready: readonly DeviceId[]): DeviceId[] {
  let exist = 0;
  for (const member of Object.values(state.members)) if (isSenior(member) && ++exist >= 2) break;
  return exist >= 2 ? ready.filter((device) => isSenior(state.members[device]!)) : [...ready];
}

export function isSenior(member: Member): boolean {
  return !isBarred(member) && (member.founder || member.verifiedSegments > 0);
}

/** In the order of a hash of the seed and each id: who comes or goes does not change the order of the others. */
export function ranked(devices: readonly DeviceId[], domain: string, ...seed: (Hash | number)[]): DeviceId[] {
  return devices
    .map((device) => ({ device, at: hashOf(domain, ...seed, device) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ device }) => device);
}

/** Index of the first place at or after `point` (binary search); the ring's length where there is none. */
export function firstFrom(ring: AuditorRing, point: Hash): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[middle]!.at < point) low = middle + 1;
    else high = middle;
  }
  return low;
}
