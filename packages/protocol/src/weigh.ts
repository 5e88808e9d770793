/**
 * What several verdicts come to.
 *
 * Where nothing is at stake, two mismatches refuse a round: it is unpaid, and the device starts again. Where credit is
 * locked, a mismatch calls a jury, for a refusal costs more there: the majority of the jury decides about the round, and
 * what is locked is forfeited only where more than two thirds of it found what no honest engine makes.
 */
import { type DeviceId, isTwoThirds } from '@folkmoot/core';
import { balanceOf, type Outcome } from '@folkmoot/ledger';
import type { Charter } from '@folkmoot/records';
import type { Audit, GivenVerdict, State } from './state.ts';

/** Auditors of one audit at most, where a refusal costs the round, and where it costs what is locked. */
const FEW = 3;
const JURY = 7;

/**
 * Times the tolerance: from here on a distance is no matter of engines. The tolerance is ten times the worst that was
 * measured between honest ones, so this is a thousand times that. Having done nothing is a distance of 1,000,000 ppm.
 */
const GRAVE = 100;

/** Whether `verdict` says what no honest engine makes: other bits where bits are promised, or a distance far outside. */
export function isGrave({ engine }: Charter, verdict: Pick<GivenVerdict, 'outcome' | 'part' | 'distancePpm'>): boolean {
  if (verdict.outcome !== 'mismatch') return false;
  return engine.kind === 'exact' || verdict.part === 'encode' || verdict.distancePpm >= GRAVE * engine.tolerancePpm;
}

/** The outcome, or how many more auditors have to be asked before there is one. */
export function weighed(state: State, audit: Audit): Outcome | { ask: number } {
  const { matches, mismatches } = countOf(audit);
  const asked = audit.auditors.length;
  if (audit.again) return { ask: JURY - asked };
  if (mismatches === 0) return matches >= audit.wanted ? good(audit) : { ask: asked < FEW ? 1 : 0 };
  if (isAtStake(state, audit)) return { ask: JURY - asked };
  if (matches > mismatches) return good(audit);
  return mismatches >= 2 ? 'mismatch' : { ask: asked < FEW ? 1 : 0 };
}

/**
 * The outcome where nobody is left to ask. Where findings contradict each other and neither has the majority, it pays
 * nothing and refuses nothing. Bytes that two could not fetch were not opened. Silence costs nothing.
 */
export function concluded(audit: Audit): Outcome {
  const { matches, mismatches } = countOf(audit);
  if (matches > mismatches) return good(audit);
  if (mismatches >= 2 && mismatches > matches) return 'mismatch';
  if (mismatches > 0) return 'disputed';
  const unavailable = audit.verdicts.filter(({ outcome }) => outcome === 'unavailable').length;
  const nobodyElse = unavailable > 0 && unavailable === audit.auditors.length;
  return unavailable >= 2 || nobodyElse ? 'unavailable' : 'no-verdict';
}

/** Whether more than two thirds of all who were asked, at least two, found something grave: what is locked is lost. */
export function isConvicted(charter: Charter, audit: Audit): boolean {
  const grave = audit.verdicts.filter((verdict) => isGrave(charter, verdict)).length;
  return grave >= 2 && isTwoThirds(grave, audit.auditors.length);
}

/** Auditors whose finding more than two thirds of all who were asked contradict. */
export function overruled(charter: Charter, audit: Audit): DeviceId[] {
  const { auditors, verdicts } = audit;
  const { matches } = countOf(audit);
  if (isConvicted(charter, audit)) return verdicts.filter(isGood).map(({ auditor }) => auditor);
  if (!isTwoThirds(matches, auditors.length)) return [];
  return verdicts.filter((verdict) => isGrave(charter, verdict)).map(({ auditor }) => auditor);
}

/** The verdicts on which `outcome` rests; all of them where it rests on what is missing. */
export function agreeing({ verdicts }: Audit, outcome: Outcome): GivenVerdict[] {
  if (outcome === 'matched' || outcome === 'within') return verdicts.filter(isGood);
  return outcome === 'mismatch' ? verdicts.filter((given) => given.outcome === 'mismatch') : verdicts;
}

/** Whether a refusal costs more than the round. */
function isAtStake({ ledger, members }: State, { trainer }: Audit): boolean {
  return balanceOf(ledger, members[trainer]!.account).locked > 0;
}

function countOf({ verdicts }: Audit): { matches: number; mismatches: number } {
  return {
    matches: verdicts.filter(isGood).length,
    mismatches: verdicts.filter(({ outcome }) => outcome === 'mismatch').length,
  };
}

const isGood = ({ outcome }: GivenVerdict) => outcome === 'match' || outcome === 'within';

function good({ verdicts }: Audit): Outcome {
  return verdicts.some(({ outcome }) => outcome === 'within') ? 'within' : 'matched';
}
