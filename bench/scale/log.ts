/** What a long log costs a member: bytes written beside it, and what a start reads, computes and holds. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Keepsakes, Log } from '@folkmoot/node';
import { charterBytes } from '@folkmoot/records';
import { openCells, openJournal } from '@folkmoot/store';
import { Crowd, crowdCharter } from './crowd.ts';

const MEMBERS = 1000;
const SEATS = 900;

export interface LogPoint {
  readonly entries: number;
  readonly rounds: number;
  readonly logBytes: number;
  /** States and keepsakes, each time that they were written. */
  readonly besideBytes: number;
  readonly stateBytes: number;
  readonly start: LogStart;
}

/** A process that opens the log as a member does that was killed. */
export interface LogStart {
  readonly cpuMs: number;
  /** Resident memory of the process, less what it had before. */
  readonly residentBytes: number;
  readonly heldEntries: number;
}

/** Writes the log of a crowd until it has each of `lengths`, and lets a process start from it there. */
export async function* measureLog(lengths: readonly number[], signal: AbortSignal): AsyncGenerator<LogPoint> {
  const home = await mkdtemp(join(tmpdir(), 'folkmoot-log-'));
  try {
    const crowd = new Crowd(crowdCharter(SEATS), MEMBERS, true);
    const { run } = crowd;
    await writeFile(join(home, 'charter.json'), charterBytes(run.state.charter));
    const journal = await openJournal(join(home, 'log.jsonl'));
    const real = await openCells(join(home, 'cells'));
    let besideBytes = 0;
    const cells: typeof real = {
      read: real.read,
      write: (name, bytes) => {
        besideBytes += bytes.length;
        return real.write(name, bytes);
      },
    };
    const log = await Log.open(run.state.charter, journal, cells);
    const keepsakes = new Keepsakes([]);
    for (const length of lengths) {
      while (log.length < length) {
        signal.throwIfAborted();
        if (run.entries.length === 0) crowd.step();
        const entries = run.entries.splice(0, length - log.length);
        for (const { record } of entries) keepsakes.observe(record.body);
        const events = await Promise.all(entries.map((entry) => log.append(entry)));
        if (events.flat().some(({ kind }) => kind === 'finalized')) await keepsakes.keep(cells, log);
        run.events.length = 0;
        run.records.length = 0;
      }
      const { size } = await stat(join(home, 'log.jsonl'));
      const stateBytes = JSON.stringify(log.state).length;
      const rounds = log.state.finalized;
      yield { entries: log.length, rounds, logBytes: size, besideBytes, stateBytes, start: await startFrom(home) };
    }
    await log.close();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function startFrom(home: string): Promise<LogStart> {
  const script = fileURLToPath(new URL('open-log.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, home]);
  return JSON.parse(stdout) as LogStart;
}
