/** How fast one thread folds a log whose signatures were checked before: what a member that comes late waits for. */
import { apply, initialState } from '@folkmoot/protocol';
import { ScriptedMember, ScriptedRun, testCharter } from '../packages/protocol/src/scripted.test-support.ts';
import { type Figure, medianMs } from './bench.ts';

const ENTRIES = 100_000;
const MEMBERS = 16;

export async function* run(): AsyncIterable<Figure> {
  const told = tell();
  const entries = told.entries.slice(0, ENTRIES);
  const fold = () => {
    const state = initialState(told.state.charter);
    for (const entry of entries) apply(state, entry);
    return state;
  };
  const ms = await medianMs(1, fold);
  const note = `${MEMBERS} members, ${fold().finalized} rounds`;
  yield { name: `apply ${ENTRIES} verified entries`, value: ms / 1000, unit: 's', note };
  yield { name: 'apply', value: ENTRIES / (ms / 1000), unit: 'entries/s' };
}

/** A run of honest members, round after round, until the log is long enough. */
function tell(): ScriptedRun {
  const members = Array.from({ length: MEMBERS }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(testCharter(), members, false);
  for (const member of members) run.join(member);
  run.run(() => run.entries.length >= ENTRIES, 10 * ENTRIES);
  return run;
}
