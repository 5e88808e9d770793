/** Where a fork begins: a round that has ended with a sealed header, by its number or by the first digits of the header's id. */
import { type Hash, WorldError } from '@folkmoot/core';
import type { RoundFile } from './round-files.ts';
import type { Story } from './story.ts';

export interface ForkPoint {
  readonly round: number;
  readonly header: Hash;
}

/** The last finished round where nothing is said. Throws `nothing-to-fork`, `round-unfinished`, `header-unsealed`, `no-such-header`. */
export function forkPoint({ rounds, state }: Story, at?: string): ForkPoint {
  const files = [...rounds.all.values()];
  const finished = files.flatMap(pointOf);
  const last = finished.at(-1);
  if (!last)
    throw new WorldError(
      'nothing-to-fork',
      'No round of this run has finished yet, so there is no header to go on from.',
      {
        facts: { run: state.run },
        help: 'Wait for the first round to end, or found a run of your own with "folkmoot create".',
      },
    );
  if (at === undefined) return last;
  const facts = { finished: `${finished[0]!.round} to ${last.round}` };
  if (/^\d{1,6}$/.test(at)) {
    const round = Number(at);
    const found = finished.find((point) => point.round === round);
    if (found) return found;
    throw new WorldError('round-unfinished', `Round ${round} has no sealed header: ${fateOf(rounds.all.get(round))}.`, {
      facts,
      help: 'Give a round that is finished; "folkmoot log --headers" lists them.',
    });
  }
  const isId = /^[0-9a-f]{6,64}$/.test(at);
  const named = isId ? finished.filter(({ header }) => header.startsWith(at)) : [];
  if (named.length === 1) return named[0]!;
  const isSigned = isId && files.some(({ signed }) => signed.some(({ header }) => header.startsWith(at)));
  if (isSigned && named.length === 0)
    throw new WorldError('header-unsealed', 'Electors have signed this header, and no quorum has sealed it.', {
      facts,
      help: 'Another may end that round, so nothing can be founded on it. Wait until it is sealed, or give a finished round.',
    });
  throw new WorldError('no-such-header', `There is no header "${at.slice(0, 64)}" in this run.`, {
    facts,
    help: 'Give a round by its number, or six or more of the first digits of a header’s id; "folkmoot log --headers" lists them.',
  });
}

function pointOf({ number, end }: RoundFile): ForkPoint[] {
  return end?.kind === 'finalized' ? [{ round: number, header: end.header }] : [];
}

function fateOf(file: RoundFile | undefined): string {
  if (!file) return 'it has not begun';
  return file.end?.kind === 'void' ? `it was void (${file.end.reason})` : 'it has not ended';
}
