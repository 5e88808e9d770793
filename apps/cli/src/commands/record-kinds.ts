/** Every kind of record, in the order of a run's life, with what it says: what `log --kind` knows, and its help. */
import type { RecordKind } from '@folkmoot/records';

/** The compiler asks for each kind that the schema has. */
const SAYINGS: Readonly<Record<RecordKind, string>> = {
  join: 'a device enters the run',
  ready: 'it can take a seat from the next round on',
  leave: 'it goes away',
  commit: 'a trainer has worked, and binds itself to the result',
  reveal: 'it shows its update',
  attest: 'a witness names the updates that it has',
  header: 'an elector signs how the round ends',
  seal: 'it stands by a header that a quorum has signed',
  open: 'a trainer shows the start of a segment that was drawn',
  result: 'an auditor has re-executed it, and binds itself to what it found',
  close: 'the trainer shows its end',
  verdict: 'the auditor shows what it found',
  dispute: 'a move in a dispute about a verdict',
  score: 'a witness has measured what a trainer’s rows taught its update',
  lapse: 'a keeper sees no sign of life of a trainer',
  alive: 'the trainer is still at work',
  reproduced: 'how far an auditor came with the work of one who vanished',
  fault: 'two records of one device that contradict each other',
  revoke: 'an account puts out a device of its own',
  withdraw: 'a ticket lets nobody in any more',
  tick: 'the sequencer tells the time',
  vote: 'an elector asks for another sequencer; travels inside of `succeed`',
  succeed: 'a term begins with these votes',
};

export const RECORD_KINDS = Object.keys(SAYINGS) as readonly RecordKind[];

export const kindsHelp = RECORD_KINDS.map((kind) => `  ${kind.padEnd(12)}${SAYINGS[kind]}`).join('\n');
