/** `status --all`: the runs of a home, one line each. */
import { isWorldError } from '@folkmoot/core';
import type { Invocation } from '../invocation.ts';
import { currentRun, listRuns, readRunNote, runFolder } from '../run/run-folder.ts';
import { formatBytes } from '../ui/format.ts';
import { oneLine } from '../ui/width.ts';
import { openRun } from './open-run.ts';
import { folderBytes } from './run-status.ts';
import { Story } from './story.ts';

/** Throws `no-run` where there is none. */
export async function listStatus(call: Invocation): Promise<void> {
  const runs = await listRuns(call.home);
  // Where there are runs but no current one, the list is what helps to choose.
  const current = runs.length === 0 ? await currentRun(call.home) : await currentRun(call.home).catch(() => undefined);
  for (const run of runs) {
    const note = await readRunNote(call.home, run);
    if (!note) continue;
    const open = await openRun(call.home, run).catch((error) => {
      if (isWorldError(error, 'run-not-entered')) return undefined;
      throw error;
    });
    const state = open && (await Story.read(open)).state;
    const fields = {
      run,
      name: note.name,
      current: run === current?.run,
      finished: state?.finalized ?? 0,
      members: Object.keys(state?.members ?? {}).length,
      diskBytes: await folderBytes(runFolder(call.home, run).path),
    };
    call.object(fields);
    call.say(
      `${fields.current ? '*' : ' '} ${run.slice(0, 16)}  ${oneLine(note.name)}  ${fields.finished} rounds finished, ${fields.members} members, ${formatBytes(fields.diskBytes)}`,
    );
  }
}
