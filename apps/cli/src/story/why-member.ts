/** What a member earned, round by round, and on what evidence. */
import type { AccountId, DeviceId } from '@folkmoot/core';
import { balanceOf, explain, explainCarried, isPaid, type Settlement } from '@folkmoot/ledger';
import { type Asked, auditPpm } from '@folkmoot/protocol';
import { formatCount } from '../ui/format.ts';
import { percent } from './entry-lines.ts';
import { memberState } from './member-state.ts';
import { namesOf } from './names.ts';
import type { OpenRun } from './open-run.ts';
import type { Story } from './story.ts';
import type { Explanation } from './subject.ts';

export function explainMember(story: Story, device: DeviceId): Explanation {
  const { state, run } = story;
  const member = state.members[device]!;
  const nameOf = namesOf(state.members);
  const settlements = settlementsOf(story, device);
  const rounds = settlements.map((settlement) => roundFacts(story, settlement, nameOf));
  const open = Object.values(state.audits).filter((audit) => audit.trainer === device);
  const balance = balanceOf(state.ledger, member.account);
  const paid = settlements.filter(({ outcome }) => isPaid(outcome)).length;
  const ppm = auditPpm(run.charter.audit.floorPpm, member);
  const status = memberState(state, device);
  const facts = {
    kind: 'member',
    name: nameOf(device),
    device,
    account: member.account,
    state: status,
    ...balance,
    auditPpm: ppm,
    rounds,
    open: open.map(({ round, segment, stage, asked }) => ({ round, segment, stage, auditors: asked.map(auditorOf) })),
  };
  return {
    facts,
    lines: [
      `${nameOf(device)}: ${status}`,
      `  device   ${device}`,
      `  account  ${member.account}`,
      '',
      ...rounds.map(({ sentence }) => sentence),
      ...open.map(
        ({ round, segment, asked, stage }) =>
          `round ${round}: not settled yet: segment ${segment} is being audited by ${asked.map(auditorOf).map(nameOf).join(' and ')} (${stage})`,
      ),
      ...(member.owes
        ? [`nothing unlocks before segment ${member.owes.segment} of round ${member.owes.round} is opened after all`]
        : []),
      ...(rounds.length + open.length === 0 ? ['No round of this member has been settled yet.'] : []),
      '',
      ...carriedLines(run, member.account),
      `${formatCount(balance.earned)} credits earned in ${paid} of ${rounds.length} settled rounds: ${formatCount(balance.locked)} locked, ${formatCount(balance.unlocked)} unlocked${balance.forfeited > 0 ? `, ${formatCount(balance.forfeited)} forfeited` : ''}`,
      `its next round is audited with a probability of ${percent(ppm)}`,
    ],
  };
}

/** What an account brought into a fork, in a sentence; nothing where it brought none. */
export function carriedLines({ charter, shares }: OpenRun, account: AccountId): string[] {
  const share = shares?.find((each) => each.account === account);
  const { lineage } = charter;
  return share && lineage ? [explainCarried(share, { run: lineage.parent, round: lineage.round })] : [];
}

const auditorOf = ({ auditor }: Asked): DeviceId => auditor;

/** In the order of their rounds. */
export function settlementsOf({ rounds }: Story, device: DeviceId): Settlement[] {
  return [...rounds.all.values()].flatMap(({ settlements }) =>
    settlements.filter((settlement) => settlement.device === device),
  );
}

/** One settlement with its credit and its sentence. */
export function roundFacts({ run }: Story, settlement: Settlement, nameOf: (device: DeviceId) => string) {
  const credits = settlement.segments * run.charter.credit.perSegment;
  const { round, outcome, evidence } = settlement;
  return { round, outcome, credits, sentence: explain(settlement, credits, nameOf), evidence };
}
