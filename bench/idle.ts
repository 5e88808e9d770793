/** Resident memory of member processes that wait for others: the one that founded the run, and one that joined it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RUN_PRESETS } from '@folkmoot/node';
import type { Figure } from './bench.ts';

const SETTLE_MS = 10_000;

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  for (const preset of Object.keys(RUN_PRESETS)) {
    const home = await mkdtemp(join(tmpdir(), 'folkmoot-idle-'));
    const members: ChildProcess[] = [];
    try {
      // Three must be ready before a round opens, so these two wait.
      const rules = ['--preset', preset, '--min-members', '3', '--listen', '127.0.0.1'];
      const founder = start(join(home, 'founder'), ['create', ...rules], signal);
      members.push(founder);
      const invite = await inviteOf(founder);
      const joiner = start(join(home, 'joiner'), ['join', invite, '--listen', '127.0.0.1'], signal);
      members.push(joiner);
      await inviteOf(joiner);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      yield {
        name: `${preset}: a member that joined`,
        value: residentMb(joiner),
        unit: 'MB',
        note: 'under 200 is wanted',
      };
      yield { name: `${preset}: the member that founded`, value: residentMb(founder), unit: 'MB' };
    } finally {
      for (const member of members) await end(member);
      await rm(home, { recursive: true, force: true });
    }
  }
}

function start(home: string, command: readonly string[], signal: AbortSignal): ChildProcess {
  const script = fileURLToPath(new URL('../folkmoot', import.meta.url));
  const child = spawn(script, ['--home', home, '--json', '--yes', ...command], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  child.on('error', () => {});
  return child;
}

/** The invite in the line with which a member says that it takes part. */
function inviteOf(member: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    member.on('exit', () => reject(new Error('a member ended')));
    createInterface({ input: member.stdout! }).on('line', (line) => {
      const { type, invite } = JSON.parse(line) as { type: string; invite: string };
      if (type === 'started') resolve(invite);
    });
  });
}

function residentMb({ pid }: ChildProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1000;
}

async function end(member: ChildProcess): Promise<void> {
  if (member.exitCode !== null || member.signalCode !== null) return;
  const ended = new Promise((resolve) => member.once('exit', resolve));
  member.kill('SIGTERM');
  await ended;
}
