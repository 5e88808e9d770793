/** Bugs in what electors hold against a sequencer that is said to leave records out. */
import type { PlantedBug } from './bug.ts';

const bug = (name: string, about: string, find: string, put: string, file = 'node/src/complaints.ts'): PlantedBug => ({
  name,
  area: 'complaints',
  about,
  file: `packages/${file}`,
  find,
  put,
});

export const COMPLAINT_BUGS: readonly PlantedBug[] = [
  bug(
    'one-round-counts-twice',
    'two records that are left out in one round are two rounds’ grievances',
    'rounds.add(round);',
    'rounds.add(rounds.size);',
  ),
  bug(
    'what-was-taken-counts',
    'a record that came into the log is left out all the same',
    'if (isTaken || log.turns !== turns || signal.aborted) return false;',
    'if (log.turns !== turns || signal.aborted) return false;',
  ),
  bug(
    'the-word-is-enough',
    'an elector believes whoever says that it is left out',
    'void this.#try(record.value, sending);',
    'sending.catch(() => {}).then(() => this.#grieve(log.state.term, log.state.round.number));',
  ),
  bug(
    'every-refusal-counts',
    'a refusal that the rules ask for is a grievance',
    'return check(log.stateAt(at), record) === null || isLate;',
    'return true;',
  ),
  bug(
    'grievances-of-all-terms',
    'what the sequencer before has left out counts against the next',
    'if (this.#grievances.term !== term) this.#grievances = { term, rounds: new Set() };',
    'this.#grievances.term = term;',
  ),
  bug(
    'complaints-come-to-nothing',
    'electors see what is left out, and do not vote',
    'depose: () => this.#elections.complain(),',
    'depose: () => {},',
    'node/src/member.ts',
  ),
];
