/** A member in a process of its own, started by `up`: only what a person at its terminal could do reaches it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../project.ts';
import { NOTHING_YET, type Totals } from './totals.ts';

export interface MemberProcessOptions {
  readonly home: string;
  readonly name: string;
  readonly invite: string;
  readonly cheater?: string;
  readonly threads: number;
  readonly rounds?: number;
  readonly memoryBytes: number;
  readonly maxStoreBytes?: number;
}

/** How long a member may take to leave before it is ended. */
const LEAVE_MS = 8000;

export class MemberProcess {
  readonly name: string;
  /** What it told last. */
  totals = NOTHING_YET;
  /** It was asked to leave, so its end is no news. */
  leaving = false;
  /** Resolves with the reason when the process ends. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #lastError = '';

  constructor(options: MemberProcessOptions) {
    this.name = options.name;
    this.#child = spawn(process.execPath, [...process.execArgv, ...argumentsOf(options)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.on('message', (totals: Totals) => {
      this.totals = totals;
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#read(line));
    createInterface({ input: this.#child.stderr! }).on('line', (line) => {
      this.#lastError = line;
    });
    this.ended = new Promise((resolve) =>
      this.#child.on('exit', (code, signal) => resolve(this.#lastError || `exit ${signal ?? code}`)),
    );
  }

  /** Asks it to train no more. */
  pause(): void {
    if (this.#child.connected) this.#child.send('pause');
  }

  /** Asks it to leave, and ends it if it does not. */
  async leave(): Promise<void> {
    this.leaving = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #read(line: string): void {
    if (!line.startsWith('{"error"')) return;
    const { error } = JSON.parse(line) as { error: { message: string } };
    this.#lastError = error.message;
  }
}

function argumentsOf(member: MemberProcessOptions): string[] {
  const { home, name, invite, cheater, threads, rounds, memoryBytes, maxStoreBytes } = member;
  // The founder measures the hold-out loss for all: three times the same number would cost three times as much.
  const options = ['--listen', '127.0.0.1', '--name', name, '--threads', String(threads), '--no-evaluate'];
  options.push('--memory', String(memoryBytes));
  if (rounds !== undefined) options.push('--rounds', String(rounds));
  if (maxStoreBytes !== undefined) options.push('--store-limit', String(maxStoreBytes));
  if (cheater !== undefined) options.push('--cheater', cheater);
  return [join(projectRoot, 'apps/cli/src/main.ts'), '--home', home, '--json', 'join', invite, ...options];
}
