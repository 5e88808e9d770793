/**
 * Disputes: a trainer and an auditor that found a mismatch search for the one operator on which they differ, and drawn judges
 * run it. Arithmetic decides; silence decides nothing.
 *
 * | ends with | trainer | auditor |
 * |---|---|---|
 * | the operator is wrong | locked credit forfeited | – |
 * | the operator is right | paid, unless another mismatch stands | its finding is void; on `exact` its locked credit is forfeited |
 * | the auditor silent, or taking its finding back | paid, as above | – |
 * | the trainer silent, or its bytes unavailable, or judges undecided | as the audit left it | – |
 */
import { type DeviceId, hashOf, isTwoThirds } from '@folkmoot/core';
import { type Move, type RecordOf, stateLeaf, type VerifiedRecord } from '@folkmoot/records';
import {
  type Accusation,
  type Case,
  canRaise,
  type Dispute,
  involve,
  patienceMs,
  release,
  type Standing,
} from './cases.ts';
import { type Frame, makeMove, newGame, refusal } from './dispute-game.ts';
import { auditorRing, firstFrom } from './draw.ts';
import type { Context } from './events.ts';
import { amend, convict, refute, vindicate } from './settle.ts';
import { auditKey, type State, type Timer } from './state.ts';
import { addTimer } from './timers.ts';

type Body = RecordOf<'dispute'>;

const MAX_JUDGES = 5;
const MAX_DRAWS = 3;
/** For judges to fetch and run one operator, in terms of the time that an audit may take. */
const JUDGING = 4;

export const dispute = {
  check(state: State, body: Body): string | null {
    const found = state.cases[auditKey(body.round, body.trainer)];
    const accusation = found?.accusations[body.accuser];
    if (!found || found.audit.base !== body.base || !accusation) return 'there is no such case';
    if (body.move.is === 'raise') return refusalToRaise(state, found, accusation, body);
    const running = accusation.dispute;
    if (accusation.standing !== 'disputed' || !running) return 'this is not disputed';
    if (body.move.is === 'rule') return refusalToRule(running, body);
    if (body.turn !== running.game.moves) return 'the move was made before';
    const side = running.game.turn === 'trainer' ? body.trainer : body.accuser;
    if (running.game.turn === 'judges' || body.device !== side) return 'it is another’s turn';
    return refusal(running.game, frameOf(state, found), body.move);
  },
  apply(state: State, { body }: VerifiedRecord<Body>, context: Context): void {
    const key = auditKey(body.round, body.trainer);
    const found = state.cases[key]!;
    const accusation = found.accusations[body.accuser]!;
    if (body.move.is === 'raise') return raise(state, key, body.accuser, context);
    const running = accusation.dispute!;
    if (body.move.is === 'rule') {
      running.rulings[body.device] = body.move.outcome;
      return weigh(state, key, body.accuser, context);
    }
    if (body.move.is === 'concede') return end(state, key, body.accuser, 'withdrawn', context);
    const side = running.game.turn as 'trainer' | 'accuser';
    running.clockMs[side] = Math.max(0, running.clockMs[side] - (context.nowMs - running.turnAtMs));
    makeMove(running.game, body.move as Move);
    context.events.push({ kind: 'disputed', ...placeOf(body), moves: running.game.moves, stage: running.game.stage });
    if (running.game.turn === 'judges') drawJudges(state, key, body.accuser, context);
    else startTurn(state, key, body.accuser, context);
  },
};

/** A timer of a case or of a dispute is due. */
export function expireDispute(state: State, timer: Timer, context: Context): void {
  const found = state.cases[timer.key];
  if (!found) return;
  if (timer.stage === 'case') return considerClosing(state, timer.key, context);
  const running = found.accusations[timer.auditor]?.dispute;
  if (!running || running.deadlineMs !== timer.atMs) return;
  const { turn } = running.game;
  if (turn === 'judges') redraw(state, timer.key, timer.auditor, context);
  else end(state, timer.key, timer.auditor, turn === 'trainer' ? 'left' : 'withdrawn', context);
}

function refusalToRaise(state: State, found: Case, accusation: Accusation, body: Body): string | null {
  if (body.device !== body.trainer && body.device !== body.accuser) return 'only the two sides can raise a dispute';
  return canRaise(state, found, accusation) ? null : 'this can be disputed no more';
}

function refusalToRule({ game, judges, rulings }: Dispute, { device }: Body): string | null {
  if (game.turn !== 'judges' || !judges.includes(device)) return 'this device is not a judge';
  return rulings[device] ? 'this device has ruled before' : null;
}

function frameOf({ charter }: State, { audit }: Case): Frame {
  const { endParams, endMoments } = audit.closed!;
  return { steps: charter.stepsPerSegment, end: stateLeaf([endParams, endMoments]) };
}

function placeOf({ round, trainer, accuser }: Pick<Body, 'round' | 'trainer' | 'accuser'>) {
  return { round, trainer, accuser };
}

function raise(state: State, key: string, accuser: DeviceId, context: Context): void {
  const { audit, accusations } = state.cases[key]!;
  const accusation = accusations[accuser]!;
  const patience = patienceMs(state);
  accusation.standing = 'disputed';
  accusation.dispute = {
    game: newGame(),
    clockMs: { trainer: patience, accuser: patience },
    ...{ turnAtMs: context.nowMs, deadlineMs: 0, draw: 0, judges: [], rulings: {} },
  };
  context.events.push({
    kind: 'disputed',
    ...placeOf({ round: audit.round, trainer: audit.trainer, accuser }),
    moves: 0,
    stage: 'steps',
  });
  // Encoding is one integer operator over states that the audit has opened: there is nothing to search for.
  if (accusation.part === 'segment') return startTurn(state, key, accuser, context);
  Object.assign(accusation.dispute.game, { stage: 'judging', turn: 'judges' });
  drawJudges(state, key, accuser, context);
}

function startTurn(state: State, key: string, accuser: DeviceId, context: Context): void {
  const running = state.cases[key]!.accusations[accuser]!.dispute!;
  const side = running.game.turn as 'trainer' | 'accuser';
  wait(state, key, accuser, running.clockMs[side], context);
}

function wait(state: State, key: string, accuser: DeviceId, durationMs: number, context: Context): void {
  const running = state.cases[key]!.accusations[accuser]!.dispute!;
  running.turnAtMs = context.nowMs;
  running.deadlineMs = context.nowMs + durationMs;
  addTimer(state, { atMs: running.deadlineMs, key, stage: 'dispute', auditor: accuser });
}

/** Judges: seniors on the ring of auditors, of other accounts than the two sides. */
function drawJudges(state: State, key: string, accuser: DeviceId, context: Context): void {
  const { audit, accusations } = state.cases[key]!;
  const running = accusations[accuser]!.dispute!;
  const sides = [audit.trainer, accuser].map((device) => state.members[device]!.account);
  const ring = auditorRing(state, audit.auditSeed);
  const start = firstFrom(ring, hashOf('judge', audit.auditSeed, key, accuser, running.draw));
  const able = ring.map((_, i) => ring[(start + i) % ring.length]!.device);
  running.judges = able.filter((device) => !sides.includes(state.members[device]!.account)).slice(0, MAX_JUDGES);
  running.rulings = {};
  if (running.judges.length === 0) return redraw(state, key, accuser, context);
  for (const device of running.judges) involve(state, device, key);
  wait(state, key, accuser, JUDGING * state.charter.timing.auditMs, context);
}

function redraw(state: State, key: string, accuser: DeviceId, context: Context): void {
  const running = state.cases[key]!.accusations[accuser]!.dispute!;
  dismissJudges(state, key, accuser);
  if (running.judges.length > 0 && ++running.draw < MAX_DRAWS) return drawJudges(state, key, accuser, context);
  end(state, key, accuser, 'left', context);
}

/** More than two thirds of the judges say the same, or all have spoken and do not. */
function weigh(state: State, key: string, accuser: DeviceId, context: Context): void {
  const { judges, rulings } = state.cases[key]!.accusations[accuser]!.dispute!;
  const given = judges.flatMap((device) => rulings[device] ?? []);
  const most = (outcome: string) => isTwoThirds(given.filter((one) => one === outcome).length, judges.length);
  if (most('trainer')) end(state, key, accuser, 'proven', context);
  else if (most('accuser')) end(state, key, accuser, 'refuted', context);
  else if (most('unavailable')) end(state, key, accuser, 'left', context);
  else if (given.length === judges.length) redraw(state, key, accuser, context);
}

function end(state: State, key: string, accuser: DeviceId, standing: Standing, context: Context): void {
  const found = state.cases[key]!;
  const accusation = found.accusations[accuser]!;
  const { game } = accusation.dispute!;
  dismissJudges(state, key, accuser);
  accusation.standing = standing;
  accusation.dispute = null;
  const { round, trainer } = found.audit;
  const at = { step: game.step?.index ?? null, operator: game.operator?.index ?? null };
  context.events.push({ kind: 'dispute-ended', round, trainer, accuser, standing, moves: game.moves, ...at });
  if (standing === 'refuted') refute(state, accuser, round, context);
  if (standing === 'proven') {
    convict(state, found.audit.trainer, found.audit.round, context);
    amend(state, found, 'arbitrated', { auditors: [accuser], ...at }, context);
    return close(state, key);
  }
  considerClosing(state, key, context);
}

/** Closes a case in which nothing is open any more. Where no accusation is left, the trainer is paid. */
function considerClosing(state: State, key: string, context: Context): void {
  const found = state.cases[key]!;
  const standings = Object.values(found.accusations).map(({ standing }) => standing);
  if (standings.includes('disputed')) return;
  const isCleared = standings.every((standing) => standing === 'refuted' || standing === 'withdrawn');
  if (!isCleared && standings.includes('made') && context.nowMs < found.untilMs) return;
  if (isCleared) vindicate(state, found, context);
  close(state, key);
}

function close(state: State, key: string): void {
  const { audit, accusations } = state.cases[key]!;
  for (const accuser of Object.keys(accusations)) dismissJudges(state, key, accuser);
  for (const device of [audit.trainer, ...Object.keys(accusations)]) release(state, device, key);
  delete state.cases[key];
}

/** Takes the case off the lists of a dispute's judges, unless they have another part in it. */
function dismissJudges(state: State, key: string, accuser: DeviceId): void {
  const { audit, accusations } = state.cases[key]!;
  const judgesOf = (one: DeviceId) => accusations[one]!.dispute?.judges ?? [];
  const others = Object.keys(accusations).filter((other) => other !== accuser);
  const needed = new Set([audit.trainer, ...Object.keys(accusations), ...others.flatMap(judgesOf)]);
  for (const device of judgesOf(accuser)) if (!needed.has(device)) release(state, device, key);
}
