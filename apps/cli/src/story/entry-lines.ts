/** Entries of the log in words: what was said, and what it brought about. */
import { type DeviceId, shortId } from '@folkmoot/core';
import { explain } from '@folkmoot/ledger';
import type { Event } from '@folkmoot/protocol';
import { type Charter, headerId, type Move, type RecordBody } from '@folkmoot/records';
import { formatBytes } from '../ui/format.ts';
import { fit, oneLine } from '../ui/width.ts';
import type { Told } from './story.ts';

export interface Words {
  readonly charter: Charter;
  readonly nameOf: (device: DeviceId) => string;
}

/** ` 12  2026-11-21 00:55:32  ana     commit   round 0: offers its work … → …`, on one line. */
export function entryLine(told: Told, words: Words, nameColumns: number): string {
  const { entry } = told;
  const { body } = entry.record;
  const brought = told.events.map((event) => eventText(event, words)).filter((text) => text !== undefined);
  const head = [
    String(entry.index).padStart(4),
    localTime(entry.atMs),
    fit(words.nameOf(body.device), nameColumns),
    body.kind.padEnd(7),
  ];
  const effect = brought.length === 0 ? '' : ` → ${brought.join('; ')}`;
  return `${head.join('  ')}  ${oneLine(recordText(body, words) + effect)}`;
}

/** What a record says, in a few words. */
export function recordText(body: RecordBody, { nameOf }: Words): string {
  const place = `round ${body.round}`;
  switch (body.kind) {
    case 'join':
      return `joins as "${body.name}" with account ${body.account}${body.admission ? `, let in by ${nameOf(body.admission.ticket.issuer)}` : ''}`;
    case 'ready':
      return `is ready, on ${body.engine}${body.reset ? ', starting from zeros' : ''}`;
    case 'leave':
      return 'leaves';
    case 'commit':
      return `${place}: offers the work of seat ${body.seat}, trace ${shortId(body.traceRoot)}`;
    case 'reveal':
      return `${place}: reveals update ${shortId(body.update)}, ${formatBytes(body.updateBytes)}`;
    case 'attest':
      return `${place}: attests ${body.updates.length} ${body.updates.length === 1 ? 'update' : 'updates'}`;
    case 'header':
      return `${place}: signs header ${shortId(headerId(body.header))} with base ${shortId(body.header.nextBase)}`;
    case 'open':
      return `${place}: opens the start of segment ${body.segment}`;
    case 'result':
      return `${place}: has re-executed segment ${body.segment} of ${nameOf(body.trainer)}`;
    case 'close':
      return `${place}: opens the end of segment ${body.segment}`;
    case 'verdict':
      return `${place}: ${verdictText(body)} for segment ${body.segment} of ${nameOf(body.trainer)}`;
    case 'dispute':
      return `${place}: ${moveText(body.move)} about the work of ${nameOf(body.trainer)}`;
    case 'fault':
      return 'shows two records that contradict each other';
    case 'revoke':
      return `brings the word of account ${body.account}: ${nameOf(body.revoked)} is no longer its device`;
    case 'withdraw':
      return `brings the word of ${nameOf(body.issuer)}: ticket ${shortId(body.key)} lets nobody in any more`;
    case 'lapse':
      return `${place}: sees no sign of life of ${body.seats.map(({ trainer }) => nameOf(trainer)).join(', ')}`;
    case 'alive':
      return `${place}: is still at work on seat ${body.seat}`;
    case 'reproduced':
      return body.link === null
        ? `${place}: could not reproduce what ${nameOf(body.trainer)} had leased`
        : `${place}: has reproduced ${body.segment} segments of ${nameOf(body.trainer)}`;
    case 'score':
      return `${place}: has measured what ${body.scores.map(({ trainer }) => nameOf(trainer)).join(', ')} learned`;
    case 'seal':
      return `${place}: stands by header ${shortId(body.header)}`;
    case 'tick':
      return 'tells the time';
    case 'vote':
      return `votes for term ${body.term}`;
    case 'succeed':
      return `begins term ${body.term} with ${body.votes.length} votes`;
  }
}

/** `match`, `within tolerance (0.0120 %)`, `mismatch (12.5 % in model.norm.weight)`. */
export function verdictText(verdict: { outcome: string; part: string; distancePpm: number; tensor: string }): string {
  const { outcome, part, distancePpm, tensor } = verdict;
  if (outcome === 'within') return `within tolerance (${percent(distancePpm)})`;
  if (outcome !== 'mismatch') return outcome;
  return part === 'encode' ? 'mismatch of the encoding' : `mismatch (${percent(distancePpm)}, first in ${tensor})`;
}

/** What an event means, or `undefined` where the record has said it already. */
export function eventText(event: Event, { charter, nameOf }: Words): string | undefined {
  const names = (devices: readonly DeviceId[]) => devices.map(nameOf).join(', ') || 'nobody';
  switch (event.kind) {
    case 'rejected':
      return `refused: ${event.reason}`;
    case 'away':
      return event.reason === 'left' ? undefined : `${nameOf(event.device)} is away: ${event.reason}`;
    case 'assigned':
      return `round ${event.round} begins: ${names(event.trainers)} train, ${names(event.witnesses)} witness`;
    case 'handed-over':
      return `${nameOf(event.standIn)} takes over the rows of ${nameOf(event.trainer)}${event.skip > 0 ? ` from segment ${event.skip + 1} on` : ''}`;
    case 'redrawn':
      return `draw ${event.draw}: ${names(event.witnesses)} witness`;
    case 'included':
      return `the updates of ${names(event.trainers)} are included`;
    case 'finalized':
      return `round ${event.round} ends with base ${shortId(event.content.nextBase)}`;
    case 'term':
      return `${nameOf(event.sequencer)} orders the log in term ${event.term}, after ${nameOf(event.former)} (${event.why})`;
    case 'void':
      return `round ${event.round} is void: ${event.reason}`;
    case 'audit-drawn':
      return `${nameOf(event.auditor)} is to audit segment ${event.segment} of ${nameOf(event.trainer)}, round ${event.round}`;
    case 'settled':
      return explain(event.settlement, event.settlement.segments * charter.credit.perSegment, nameOf);
    case 'forfeited':
      return `${nameOf(event.device)} forfeits ${event.amount} locked credits: more than two thirds of its auditors found what no honest engine makes`;
    case 'overruled':
      return `${nameOf(event.device)} is asked for no audit before a clean one of its own: more than two thirds found otherwise about ${nameOf(event.trainer)}, round ${event.round}`;
    case 'frozen':
      return `nothing unlocks for ${nameOf(event.device)} before it has opened round ${event.round} after all`;
    case 'thawed':
      return `${nameOf(event.device)} has opened round ${event.round} after all: what is locked unlocks again`;
    case 'disputed':
      return event.moves === 0
        ? `the mismatch that ${nameOf(event.accuser)} found about ${nameOf(event.trainer)}, round ${event.round}, is disputed`
        : undefined;
    case 'dispute-ended':
      return `the dispute of ${nameOf(event.trainer)} and ${nameOf(event.accuser)} about round ${event.round} ends: ${ENDS[event.standing]}`;
    case 'amended':
      return explain(event.settlement, event.settlement.segments * charter.credit.perSegment, nameOf);
    case 'revoked':
      return `${nameOf(event.device)} is revoked; what it earned stays with its account`;
    case 'fault':
      return `${nameOf(event.device)} is proven at fault, forfeits ${event.forfeited} credits and is never drawn again`;
    default:
      return undefined;
  }
}

export function percent(ppm: number): string {
  return `${(ppm / 10_000).toFixed(ppm < 1000 ? 4 : 1)} %`;
}

/** `2026-11-21 00:55:32`, where the reader is. */
export function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** What a move of a dispute says. */
function moveText(move: Move): string {
  switch (move.is) {
    case 'raise':
      return 'disputes the finding';
    case 'claim':
      return `claims ${move.leaves} results`;
    case 'point':
      return `points at result ${move.child + 1} of those shown`;
    case 'show':
      return `shows ${move.children.length} results`;
    case 'concede':
      return 'takes the finding back';
    case 'rule':
      return move.outcome === 'unavailable'
        ? 'could not fetch the operator'
        : `rules that the ${move.outcome} is wrong`;
  }
}

/** How a dispute ends. */
const ENDS: Readonly<Record<string, string>> = {
  proven: 'the operator is wrong, and the trainer at fault',
  refuted: 'the operator is right, and the finding void',
  withdrawn: 'the auditor did not go on, and the finding is void',
  left: 'nothing is decided, and the finding stands',
};
