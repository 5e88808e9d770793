/** The `why` sentence: what a member got for a round, and on what evidence. */
import { type DeviceId, type Hash, shortId } from '@folkmoot/core';
import type { Evidence, Outcome, Settlement } from './settlement.ts';
import type { Share } from './shares.ts';

/** A name for people; ids stay readable where there is none. */
export type Naming = (device: DeviceId) => string;

/** One sentence with the ids that prove it. */
export function explain(settlement: Settlement, credit: number, naming: Naming = shortId): string {
  const reason = REASONS[settlement.outcome](settlement.evidence, naming);
  return `round ${settlement.round}: ${naming(settlement.device)} earned ${credit} credits: ${reason}`;
}

/** One sentence about what an account brought from the run that this one was forked from. */
export function explainCarried(share: Pick<Share, 'free' | 'locked'>, from: { run: Hash; round: number }): string {
  const parts = [
    ...(share.free > 0 ? [`${share.free} free`] : []),
    ...(share.locked > 0 ? [`${share.locked} locked anew, since they could still be lost there`] : []),
  ];
  return `${share.free + share.locked} credits carried from round ${from.round} of run ${shortId(from.run)}, by its share policy: ${parts.join(', ')}`;
}

const REASONS: Record<Outcome, (evidence: Evidence, naming: Naming) => string> = {
  matched: (e, name) =>
    `segment ${e.segment} and the encoding were re-executed by ${names(e, name)}, bits equal (verdict ${ids(e)})`,
  within: (e, name) =>
    `segment ${e.segment} was re-executed by ${names(e, name)}, distance ${percent(e.distancePpm)} is within tolerance (verdict ${ids(e)})`,
  'not-drawn': () => 'included, not drawn for audit this round',
  'no-verdict': (e) =>
    `included; drawn for segment ${e.segment}, but auditors stayed silent, so it is audited next round`,
  mismatch: (e, name) =>
    `${e.part === 'encode' ? 'the update is not the encoding of its state' : `segment ${e.segment} came out differently`} when ${names(e, name)} re-executed it` +
    `${e.tensor ? `: first differing tensor ${e.tensor}, distance ${percent(e.distancePpm)}` : ''} (commit ${shortId(e.commit ?? '')}, verdict ${ids(e)})`,
  upheld: (e, name) =>
    `the mismatch that ${names(e, name)} had found in segment ${e.segment} was disputed, and nothing of it is left (entry ${e.entry})`,
  arbitrated: (e, name) =>
    `the dispute with ${names(e, name)} ended ${placeOf(e)}, which judges ran again: it is wrong; locked credit was forfeited (commit ${shortId(e.commit ?? '')}, entry ${e.entry})`,
  disputed: (e, name) =>
    `${names(e, name)} came to different findings about segment ${e.segment}, and nobody was left to decide (commit ${shortId(e.commit ?? '')}, verdict ${ids(e)})`,
  tainted: (e) => `it was built on a state that an audit refused (commit ${shortId(e.commit ?? '')})`,
  'not-opened': (e) => `asked to open segment ${e.segment}, not opened by entry ${e.entry}`,
  unavailable: (e, name) =>
    `segment ${e.segment} was opened, but its bytes could not be fetched by ${names(e, name)} (verdict ${ids(e)})`,
  excluded: (e) => `update ${shortId(e.update ?? '')} was left out: witnesses did not attest it`,
  'not-revealed': (e) => `committed, but not revealed before the deadline at entry ${e.entry}`,
  late: (e) => `no commit before the deadline at entry ${e.entry}`,
  lapsed: (e, name) =>
    `no sign of life in mid-round: from entry ${e.entry} on nobody waited${e.standIn ? `, and ${name(e.standIn)} took over the rows` : ''}`,
  spare: () => 'stood by in vain: the rows were delivered by another first',
  reproduced: (e, name) =>
    `vanished in mid-round; its first ${e.segment === 1 ? 'segment was' : `${e.segment} segments were`} reproduced by ${names(e, name)}, bits equal (entry ${e.entry})`,
  void: (e) => `the round had no quorum (entry ${e.entry}); nothing was lost`,
};

const placeOf = (e: Evidence) =>
  typeof e.operator === 'number'
    ? `at operator ${e.operator} of step ${e.step! + 1} of segment ${e.segment}`
    : `at the encoding of segment ${e.segment}’s round`;
const names = (e: Evidence, naming: Naming) => (e.auditors ?? []).map(naming).join(' and ') || 'nobody';
const ids = (e: Evidence) => (e.verdicts ?? []).map(shortId).join(', ');
const percent = (ppm = 0) => `${(ppm / 10_000).toFixed(ppm < 1000 ? 4 : 1)} %`;
