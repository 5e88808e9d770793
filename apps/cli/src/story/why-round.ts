/** How a round went: each trainer's fate, the header and who signed it. */
import type { DeviceId } from '@folkmoot/core';
import { formatBytes } from '../ui/format.ts';
import { oneLine } from '../ui/width.ts';
import { PHASES } from './member-state.ts';
import { namesOf } from './names.ts';
import type { RoundFile, SeatFile } from './round-files.ts';
import type { Story } from './story.ts';
import type { Explanation } from './subject.ts';
import { roundFacts } from './why-member.ts';

export function explainRound(story: Story, round: RoundFile): Explanation {
  const { state } = story;
  const nameOf = namesOf(state.members);
  const trainers = [...round.seats].map(([device, seat]) => trainerFacts(story, round, device, seat, nameOf));
  const { end } = round;
  const signers = round.signed.filter(({ header }) => end?.kind === 'finalized' && header === end.header);
  const dissent = round.signed.filter((signed) => !signers.includes(signed));
  const facts = {
    kind: 'round',
    round: round.number,
    base: round.base,
    seed: round.seed,
    firstEntry: round.entry,
    witnesses: round.witnesses,
    end: end ?? null,
    signers: signers.map(({ device, record }) => ({ device, name: nameOf(device), record })),
    trainers,
  };
  return {
    facts,
    lines: [
      headline(story, round),
      ...trainers.map(({ sentence }) => `  ${sentence.replace(/^round \d+: /, '')}`),
      '',
      `  base     ${round.base}`,
      `  witness  ${round.witnesses.map(nameOf).join(', ') || 'nobody'}`,
      ...(end?.kind === 'finalized'
        ? [
            `  header   ${end.header}`,
            `  signed   ${signers.map(({ device }) => nameOf(device)).join(', ')}`,
            `  next     ${end.content.nextBase}`,
          ]
        : []),
      ...(end && dissent.length > 0
        ? [
            `  other    ${dissent.map(({ device, header }) => `${nameOf(device)} signed ${header.slice(0, 10)}`).join(', ')}`,
          ]
        : []),
    ],
  };
}

function headline({ state }: Story, { number, end }: RoundFile): string {
  if (end?.kind === 'finalized') return `round ${number} ended at entry ${end.entry}`;
  if (end) return `round ${number} was void at entry ${end.entry}: ${oneLine(end.reason)}; the base stays`;
  return `round ${number} ${PHASES[state.round.phase]}`;
}

function trainerFacts(
  story: Story,
  round: RoundFile,
  device: DeviceId,
  seat: SeatFile,
  nameOf: (device: DeviceId) => string,
) {
  const settlement = round.settlements.findLast((candidate) => candidate.device === device);
  const settled = settlement && roundFacts(story, settlement, nameOf);
  return {
    device,
    name: nameOf(device),
    seat: seat.seat,
    commit: seat.commit ?? null,
    update: seat.update ?? null,
    included: round.included.includes(device),
    outcome: settled?.outcome ?? null,
    credits: settled?.credits ?? 0,
    evidence: settled?.evidence ?? null,
    sentence: settled?.sentence ?? `${nameOf(device)}: ${unsettled(story, round, device, seat, nameOf)}`,
  };
}

/** What is known of a trainer whose round is still open. */
function unsettled(
  { state }: Story,
  { number }: RoundFile,
  device: DeviceId,
  { commit, update, updateBytes }: SeatFile,
  nameOf: (device: DeviceId) => string,
): string {
  const audit = Object.values(state.audits).find((open) => open.round === number && open.trainer === device);
  if (audit)
    return `segment ${audit.segment} is being audited by ${audit.asked.map(({ auditor }) => nameOf(auditor)).join(' and ')} (${audit.stage})`;
  if (update) return `has revealed update ${update.slice(0, 10)}, ${formatBytes(updateBytes ?? 0)}`;
  return commit ? 'has committed to its work' : 'is training';
}
