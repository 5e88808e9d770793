/** `why WHAT`: finds what is meant and explains it. */
import { WorldError } from '@folkmoot/core';
import { memberList, membersNamed } from './find-member.ts';
import type { Story } from './story.ts';
import { absentAccounts, explainAccount } from './why-account.ts';
import { explainMember } from './why-member.ts';
import { explainRecord, recordsNamed } from './why-record.ts';
import { explainRound } from './why-round.ts';

/** For scripts and for people. */
export interface Explanation {
  readonly facts: object;
  readonly lines: readonly string[];
}

/** Round numbers first, then names and ids of members, then ids of records. Throws `no-such-subject`, `subject-ambiguous`. */
export function explainSubject(story: Story, what: string): Explanation {
  const round = /^\d{1,6}$/.test(what) ? story.rounds.all.get(Number(what)) : undefined;
  if (round) return explainRound(story, round);
  const devices = membersNamed(story.state.members, what);
  if (devices.length === 1) return explainMember(story, devices[0]!);
  const [absent] = devices.length > 0 ? [] : absentAccounts(story, what);
  if (absent) return explainAccount(story, absent);
  const records = devices.length > 0 ? [] : recordsNamed(story, what);
  if (records.length === 1) return explainRecord(story, records[0]!);
  throw devices.length + records.length > 1
    ? ambiguous(what, devices.length > 0 ? devices : records.map(({ id }) => id))
    : unknown(story, what);
}

function ambiguous(what: string, ids: readonly string[]): WorldError {
  return new WorldError('subject-ambiguous', `More than one thing in this run is meant by "${what}".`, {
    facts: {
      ids: ids
        .slice(0, 8)
        .map((id) => id.slice(0, 16))
        .join(', '),
    },
    help: 'Give more digits.',
  });
}

function unknown({ state, rounds, entries }: Story, what: string): WorldError {
  const numbers = [...rounds.all.keys()];
  return new WorldError('no-such-subject', `There is no member, round or record "${what}" in this run.`, {
    facts: {
      members: memberList(state.members),
      rounds: numbers.length === 0 ? 'none yet' : `${numbers[0]} to ${numbers.at(-1)}`,
      records: `${entries.length}; "folkmoot log --json" prints their ids`,
    },
    help: 'Give a member by name, a round by number, or a record by six or more of the first digits of its id.',
  });
}
