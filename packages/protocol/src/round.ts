/** One round: how each phase begins and ends. Records only deliver; phases move here. */
import { type Canonical, type DeviceId, type Hash, hashOf, idOf, isTwoThirds, merkleRoot } from '@folkmoot/core';
import { creditsRoot, type Outcome, unlock } from '@folkmoot/ledger';
import { electorsId, type Header, quorumOf, segmentsAfter } from '@folkmoot/records';
import { drawAudits } from './audit-draw.ts';
import { drawElectors, drawReserves, drawTrainers, drawWitnesses, hasReady, hasSeniors, readyDevices } from './draw.ts';
import type { Context } from './events.ts';
import { concludeOldScorings, drawScoring } from './help.ts';
import { setAway } from './membership.ts';
import { forgetPace, graceAfter, limitMs, observePace, type TimedPhase } from './pace.ts';
import { beginReproduction, giveUpOldReproductions } from './reproduce.ts';
import { drawKeepers } from './reserves.ts';
import { lapseEvidence, missedOutcome } from './seat-rivals.ts';
import { roundSeed } from './seeds.ts';
import { settleSeat } from './settle.ts';
import { isBarred, isTainted, openPhase, type Seat, type State } from './state.ts';
import { rotate } from './succession.ts';
import { countAll, hasDelivered, isAwaited } from './tally.ts';

/** Draws of witnesses before a round is void. */
const MAX_DRAWS = 3;

/** Moves the round on as far as the delivered records allow. Called after every entry. */
export function progress(state: State, context: Context): void {
  const { round } = state;
  if (round.phase === 'open') return considerOpening(state, context);
  if (round.phase === 'finalize') return considerHeader(state, context);
  if (round.phase === 'seal') return considerSeals(state, context);
  const { delivered, expected } = round.tally;
  // Where the missing witnesses have gone away, others are drawn: their votes would not come.
  if (delivered === expected) {
    if (lacksVotes(state)) return redraw(state, context);
    if (!round.grace) observePace(state, round.phase, context.nowMs - round.phaseAtMs);
    return endPhase(state, context);
  }
  if (!round.grace && 2 * delivered > expected && delivered > 0) startGrace(state, context);
}

/** The phase's deadline has passed. */
export function expire(state: State, context: Context): void {
  const { round } = state;
  if (round.phase === 'open') return assign(state, context);
  markSilent(state, context);
  if (round.phase === 'train' || round.phase === 'reveal') return endPhase(state, context);
  if (round.phase === 'witness') return lacksVotes(state) ? redraw(state, context) : endPhase(state, context);
  // Nobody else can end this round, nor any other before it: a round that is being signed is never void.
  round.deadlineMs = context.nowMs + state.charter.timing.finalizeMs;
}

function considerOpening(state: State, context: Context): void {
  const { round, charter } = state;
  // The cheap question first: while audits lag, whoever looked at every member after every entry would take n² steps.
  const waits = auditsLag(state) || !hasReady(state, charter.committee.minMembers) || !hasSeniors(state);
  if (waits) round.deadlineMs = null;
  else if (round.number > 1) assign(state, context);
  else round.deadlineMs ??= context.nowMs + charter.timing.openMs;
}

/** Audits run beside the rounds, but never more than two rounds behind. */
function auditsLag(state: State): boolean {
  return Object.keys(state.openAudits).some((round) => Number(round) < state.round.number - 2);
}

function assign(state: State, context: Context): void {
  const { round, charter } = state;
  // The first round has no witnesses before it; the sequencer's last look is a stated bias.
  if (round.number === 1) round.seed = roundSeed(state, state.head.id, {});
  if (round.number === 1) {
    for (const device of readyDevices(state)) state.members[device]!.founder = true;
    state.electors = drawElectors(state, round.seed);
  }
  giveUpOldReproductions(state, context);
  concludeOldScorings(state);
  const trainers = drawTrainers(state, round.seed);
  round.reserves = drawReserves(state, round.seed);
  trainers.forEach((device, seat) => {
    const carryIn = { ...state.members[device]!.carry };
    round.seats[device] = { seat, skip: 0, carryIn, commit: null, update: null, updateBytes: 0 };
  });
  round.witnesses = drawWitnesses(state, round.seed, 0);
  round.keepers = drawKeepers(state, round.seed, round.witnesses);
  unlock(state.ledger, charter.credit, round.number);
  enter(state, 'train', context);
  context.events.push({ kind: 'assigned', round: round.number, trainers, witnesses: round.witnesses });
}

function enter(state: State, phase: TimedPhase | 'seal', context: Context): void {
  const deadlineMs = context.nowMs + limitMs(state, phase === 'seal' ? 'finalize' : phase);
  Object.assign(state.round, { phase, phaseAtMs: context.nowMs, deadlineMs, grace: false });
  state.round.tally = countAll(state);
}

function startGrace(state: State, context: Context): void {
  const { round } = state;
  round.grace = true;
  const tookMs = context.nowMs - round.phaseAtMs;
  observePace(state, round.phase as TimedPhase, tookMs);
  round.deadlineMs = Math.min(round.deadlineMs!, context.nowMs + graceAfter(state, tookMs));
}

function endPhase(state: State, context: Context): void {
  switch (state.round.phase) {
    case 'train':
      return endTraining(state, context);
    case 'reveal':
      return endRevealing(state, context);
    default:
      return endWitnessing(state, context);
  }
}

function endTraining(state: State, context: Context): void {
  const { seats, standsFor } = state.round;
  const places = Object.keys(seats).length - Object.keys(standsFor).length;
  const committed = Object.values(seats).filter((seat) => seat.commit !== null).length;
  if (2 * committed <= places) return voidRound(state, 'too few trainers committed', context);
  enter(state, 'reveal', context);
}

function endRevealing(state: State, context: Context): void {
  if (Object.values(state.round.seats).every((seat) => seat.update === null))
    return voidRound(state, 'nobody revealed an update', context);
  enter(state, 'witness', context);
}

function endWitnessing(state: State, context: Context): void {
  const { round } = state;
  const attested = new Map(Object.entries(round.attested).map(([witness, updates]) => [witness, new Set(updates)]));
  round.included = Object.keys(round.seats)
    .filter((device) => isIncluded(state, device, attested))
    .sort();
  if (round.included.length === 0) return voidRound(state, 'no update was attested', context);
  context.events.push({ kind: 'included', round: round.number, trainers: round.included });
  enter(state, 'finalize', context);
}

/** Fixes what the header must say, as the last thing that the entry does which ended witnessing: it names the state after it. */
export function prepareHeader(state: State, context: Context): void {
  const { round } = state;
  if (round.phase !== 'finalize' || round.expected !== null) return;
  const electors = drawElectors(state, round.seed);
  round.nextElectors = electors.length >= 2 ? electors : [...state.electors];
  round.expected = {
    run: state.run,
    round: round.number,
    prev: state.lastHeader,
    logIndex: context.index,
    stateRoot: stateRootOf(state),
    base: state.base,
    updateSetRoot: merkleRoot(includedUpdates(state)),
    creditsRoot: creditsRoot(state.ledger),
    electors: electorsId(round.nextElectors),
  };
}

/**
 * Hash of the state, taken when witnessing ends: a snapshot from a stranger is checked against a header.
 *
 * Without the charter and the ledger, to which the header's `run` and `creditsRoot` commit already.
 */
export function stateRootOf({ charter: _charter, ledger: _ledger, ...state }: State): Hash {
  return idOf({ ...state, round: { ...state.round, expected: null } } as unknown as Canonical);
}

/** Ids of the included updates in the order of their trainers' ids: the order of aggregation. */
export function includedUpdates(state: State): Hash[] {
  return state.round.included.map((device) => state.round.seats[device]!.update!);
}

/** More than two thirds of the witnesses that are not the trainer's own account attest the update. */
function isIncluded(state: State, trainer: DeviceId, attested: ReadonlyMap<DeviceId, ReadonlySet<Hash>>): boolean {
  const update = eligibleUpdate(state, trainer);
  if (update === null) return false;
  const seats = witnessesOf(state, trainer);
  return isTwoThirds(seats.filter((witness) => attested.get(witness)?.has(update)).length, seats.length);
}

/** The revealed update, unless nothing that the trainer offers can count. */
function eligibleUpdate({ round, members }: State, trainer: DeviceId): Hash | null {
  const { update, carryIn } = round.seats[trainer]!;
  return isBarred(members[trainer]!) || isTainted(members[trainer]!, carryIn) ? null : update;
}

function witnessesOf(state: State, trainer: DeviceId): DeviceId[] {
  const own = state.members[trainer]!.account;
  return state.round.witnesses.filter((witness) => state.members[witness]!.account !== own);
}

/**
 * Whether too few witnesses have spoken to decide on some update. Counted for each update, without its trainer's own
 * account: with four witnesses and one silent, three have spoken, but only two of them about each other's updates.
 */
function lacksVotes(state: State): boolean {
  const { round } = state;
  if (round.phase !== 'witness') return false;
  return Object.keys(round.seats).some((trainer) => {
    const seats = witnessesOf(state, trainer);
    if (eligibleUpdate(state, trainer) === null || seats.length === 0) return false;
    return !isTwoThirds(seats.filter((witness) => round.attested[witness]).length, seats.length);
  });
}

function othersThan({ round, electors }: State, id: Hash | undefined): DeviceId[] {
  return electors.filter((device) => id === undefined || round.signed[device] !== id);
}

/** The header with most signatures, the lowest of equals: who signed another keeps the round from ending, as silence does. */
function mostSigned({ round, electors }: State): Hash | undefined {
  const count = (id: Hash) => electors.filter((device) => round.signed[device] === id).length;
  const ids = Object.keys(round.headers).sort();
  return ids.reduce<Hash | undefined>(
    (best, id) => (best === undefined || count(id) > count(best) ? id : best),
    undefined,
  );
}

/** Silence costs nothing; it only means that nobody waits for the device again until it says `ready`. */
function markSilent(state: State, context: Context): void {
  const { round } = state;
  const owed =
    round.phase === 'train' || round.phase === 'reveal'
      ? Object.keys(round.seats).filter(
          (device) =>
            isAwaited(state, device, round.seats[device]!) && !hasDelivered(round.phase, round.seats[device]!),
        )
      : round.phase === 'witness'
        ? round.witnesses.filter((device) => !round.attested[device])
        : round.phase === 'finalize'
          ? othersThan(state, mostSigned(state))
          : state.electors.filter((device) => !round.sealed.includes(device));
  for (const device of owed) setAway(state, device, `silent in ${round.phase} of round ${round.number}`, context);
}

function redraw(state: State, context: Context): void {
  const { round } = state;
  round.draw++;
  const witnesses = round.draw < MAX_DRAWS ? drawWitnesses(state, round.seed, round.draw) : [];
  if (witnesses.length < 2) return voidRound(state, `no quorum of witnesses after ${round.draw} draws`, context);
  round.witnesses = witnesses;
  context.events.push({ kind: 'redrawn', round: round.number, draw: round.draw, witnesses });
  round.attested = {};
  enter(state, 'witness', context);
}

/** A quorum of equal signatures is a certificate: the electors now say that they have seen it. */
function considerHeader(state: State, context: Context): void {
  const { round, electors } = state;
  const votes = new Map<Hash, number>();
  for (const device of electors) {
    const id = round.signed[device];
    if (id !== undefined) votes.set(id, (votes.get(id) ?? 0) + 1);
  }
  for (const [id, count] of votes) if (count >= quorumOf(electors.length)) return certify(state, id, context);
}

/** Begins sealing. Whoever seals stands by this header in every later term. */
function certify(state: State, id: Hash, context: Context): void {
  observePace(state, 'finalize', context.nowMs - state.round.phaseAtMs);
  enter(state, 'seal', context);
  state.round.certified = { header: id, term: state.term };
  state.round.sealed = [];
  context.events.push({ kind: 'certified', round: state.round.number, header: id, term: state.term });
}

function considerSeals(state: State, context: Context): void {
  const { round, electors } = state;
  const { header } = round.certified!;
  const seals = electors.filter((device) => round.sealed.includes(device));
  if (seals.length >= quorumOf(electors.length)) finalize(state, header, round.headers[header]!, context);
}

function finalize(state: State, id: Hash, header: Header, context: Context): void {
  const { round } = state;
  context.events.push({
    kind: 'finalized',
    round: round.number,
    previous: state.previous,
    header: id,
    content: header,
    trainers: round.included,
    updates: includedUpdates(state),
    electors: state.electors,
    seals: [...round.sealed].sort(),
    term: state.term,
  });
  const included = new Set(round.included);
  for (const [device, seat] of inOrder(round.seats)) concludeSeat(state, device, seat, included.has(device), context);
  drawAudits(state, context);
  drawScoring(state);
  state.lastHeader = id;
  state.previous = state.base;
  state.base = header.nextBase;
  state.finalized++;
  state.electors = round.nextElectors;
  rotate(state, context);
  state.round = openPhase(round.number + 1, roundSeed(state, id, round.headerPreimages), context.nowMs);
  considerOpening(state, context);
}

/**
 * Carries the state of included trainers on, and settles the others. Who was not included goes on from what it carried
 * before: what it did not get to say is not said yet, and what it did in this round nobody can check.
 */
function concludeSeat(state: State, device: DeviceId, seat: Seat, isIn: boolean, context: Context): void {
  const { round, charter } = state;
  const member = state.members[device]!;
  if (isIn) {
    const { momentsOut, errorOut } = seat.commit!;
    const { steps, round: from, since } = seat.carryIn;
    if (isTainted(member, seat.carryIn)) return;
    member.carry = {
      moments: momentsOut,
      error: errorOut,
      steps: steps + segmentsAfter(charter, seat) * charter.stepsPerSegment,
      round: round.number,
      since: from === 0 ? round.number : since,
    };
    return;
  }
  const left = isTainted(member, seat.carryIn) ? 'tainted' : 'excluded';
  const outcome: Outcome =
    seat.commit === null ? missedOutcome(round, device) : seat.update === null ? 'not-revealed' : left;
  if (outcome === 'lapsed' && beginReproduction(state, device, seat, context)) return;
  const evidence = { commit: seat.commit?.id, update: seat.update ?? undefined, ...lapseEvidence(round, device) };
  settleSeat(state, { round: round.number, device, outcome, ...evidence }, context);
}

/** Nothing happened: the base stays, nobody earns, nothing is lost. */
function voidRound(state: State, reason: string, context: Context): void {
  const { round } = state;
  context.events.push({ kind: 'void', round: round.number, reason });
  forgetPace(state);
  for (const [device] of inOrder(round.seats))
    settleSeat(state, { round: round.number, device, outcome: 'void' }, context);
  const seed = hashOf(
    'after-void',
    roundSeed(state, round.seed, { ...round.attestPreimages, ...round.headerPreimages }),
  );
  state.round = openPhase(round.number + 1, seed, context.nowMs);
  considerOpening(state, context);
}

function inOrder(seats: Record<DeviceId, Seat>): [DeviceId, Seat][] {
  return Object.keys(seats)
    .sort()
    .map((device) => [device, seats[device]!]);
}
