/** `log --headers`: the chain of headers in lines, or one of them in full. */
import { type DeviceId, shortId, WorldError } from '@folkmoot/core';
import { quorumOf } from '@folkmoot/records';
import type { Invocation } from '../invocation.ts';
import { displayWidth, fit } from '../ui/width.ts';
import { localTime } from './entry-lines.ts';
import { type ChainedHeader, headerChain } from './header-chain.ts';
import { namesOf } from './names.ts';
import { openRun } from './open-run.ts';

type NameOf = (device: DeviceId) => string;

/** `which`: a round, or the first digits of a header’s id; all of them where it is absent. Throws `no-such-header`. */
export async function printHeaders(
  call: Invocation,
  { run, which, last }: { run?: string; which?: string; last?: number },
): Promise<void> {
  const { story, chain } = await headerChain(await openRun(call.home, run));
  const nameOf = namesOf(story.state.members);
  if (which !== undefined) {
    const found = theOne(chain, which);
    call.object(headerObject(found, nameOf));
    for (const line of fullLines(found, nameOf)) call.say(line);
    return;
  }
  const chosen = last === undefined ? chain : chain.slice(-last);
  const columns = Math.max(9, ...chosen.map(({ sequencer }) => displayWidth(nameOf(sequencer))));
  if (chosen.length === 0) call.say('No round has finished yet.');
  else call.say(`round  header      next base   sealed    term  ${fit('sequencer', columns)}  certificate`);
  for (const header of chosen) {
    call.say(headerLine(header, nameOf, columns));
    call.object(headerObject(header, nameOf));
  }
}

function headerLine(
  { round, id, header, sealed, electors, term, sequencer, broken }: ChainedHeader,
  nameOf: NameOf,
  columns: number,
): string {
  return [
    String(round).padStart(5),
    shortId(id),
    shortId(header.nextBase),
    `${sealed.length} of ${electors.length}`.padEnd(8),
    String(term).padStart(4),
    fit(nameOf(sequencer), columns),
    broken === null ? 'holds' : `does not hold: ${broken}`,
  ].join('  ');
}

function fullLines(found: ChainedHeader, nameOf: NameOf): string[] {
  const { round, id, header, entry, atMs, term, sequencer, named, electors, signed, sealed, broken } = found;
  const gone = named.filter((device) => !electors.includes(device));
  const names = (devices: readonly DeviceId[]) => devices.map(nameOf).join(', ') || 'nobody';
  return [
    `header ${id}`,
    `  of round ${round}, at entry ${entry}, ${localTime(atMs)}; term ${term}, ordered by ${nameOf(sequencer)}`,
    '',
    ...Object.entries(header).map(([field, value]) => `  ${field.padEnd(13)}  ${value}`),
    '',
    `  electors       ${names(electors)}${gone.length > 0 ? `; counted out: ${names(gone)}` : ''}`,
    `  signed         ${names(signed)}`,
    `  sealed         ${names(sealed)}: ${sealed.length} of ${electors.length}, ${quorumOf(electors.length)} needed`,
    `  certificate    ${broken === null ? 'holds: the electors whom the header before it names have sealed it' : `does not hold: ${broken}`}`,
  ];
}

/** For scripts: ids in full, names beside them, and the certificate, which anybody can check without the log. */
function headerObject(found: ChainedHeader, nameOf: NameOf): object {
  const { broken, ...fields } = found;
  const names = Object.fromEntries([...found.named, found.sequencer].map((device) => [device, nameOf(device)]));
  return { ...fields, names, holds: broken === null, broken };
}

function theOne(chain: readonly ChainedHeader[], which: string): ChainedHeader {
  const isRound = /^\d{1,6}$/.test(which);
  const found = chain.filter(({ round, id }) =>
    isRound ? round === Number(which) : which.length >= 6 && id.startsWith(which),
  );
  if (found.length === 1) return found[0]!;
  throw new WorldError('no-such-header', `There is no sealed header "${which.slice(0, 64)}" in this run.`, {
    facts: {
      rounds:
        chain.length === 0
          ? 'none is finished'
          : chain
              .map(({ round }) => round)
              .slice(-12)
              .join(' '),
    },
    help: 'Give a finished round, or six or more of the first digits of a header’s id; "folkmoot log --headers" lists them.',
  });
}
