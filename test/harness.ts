/**
 * Members as processes, for tests: started through `./folkmoot` as a person would, each with its own home; watched through
 * the lines that they print and the log that they keep. Nothing that is started here outlives its test.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromUtf8, type Hash } from '@folkmoot/core';
import { apply, type Event, initialState, readEntry, type State } from '@folkmoot/protocol';
import { type Charter, type Entry, parseCharter, type RecordKind, type RecordOf } from '@folkmoot/records';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const script = join(projectRoot, 'folkmoot');

/** Text that trains quickly: some of this project's own source. */
export const DATA = ['core', 'records', 'protocol'].map((name) => join(projectRoot, 'packages', name, 'src'));

/** Longest wait for anything. Machines of tests are slow and shared; what takes longer than this will never come. */
const PATIENCE_MS = 240_000;
const LOOK_MS = 15;

/** What `--json` prints, one of these per line. */
export interface Line {
  readonly type?: string;
  readonly error?: { code: string; message: string; facts: Record<string, string | number>; help: string };
  readonly [name: string]: unknown;
}

/** The last line of a member that was asked to end. */
export interface Summary {
  readonly rounds: number;
  readonly baseId: Hash;
  readonly credits: Readonly<Record<string, number>>;
  readonly updatesRefused: readonly { round: number; member: string; reason: string }[];
  readonly [name: string]: unknown;
}

export interface StartOptions {
  /** Runs `folkmoot` behind this command, such as `ip netns exec NAME`. */
  readonly behind?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Temporary folder and processes of one test; everything ends with it. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'folkmoot members '));
  readonly #processes: Process[] = [];
  readonly #undo: (() => unknown)[] = [];

  constructor(t: Pick<TestContext, 'after'>) {
    t.after(() => this.close());
  }

  /** Starts `./folkmoot --json ARGUMENTS` with the home `name` in this world's folder. */
  start(name: string, args: readonly string[], options: StartOptions = {}): Process {
    const process = new Process(name, this.home(name), args, options);
    this.#processes.push(process);
    return process;
  }

  /** Founds a run and waits until others can join. */
  async create(name: string, args: readonly string[], options?: StartOptions): Promise<Process> {
    const data = args.includes('--data') ? [] : ['--data', ...DATA];
    const created = this.start(name, ['create', '--yes', '--name', name, ...local(args), ...data, ...args], options);
    await created.started();
    return created;
  }

  join(name: string, invite: string, args: readonly string[], options?: StartOptions): Process {
    return this.start(name, ['join', invite, '--name', name, ...local(args), ...args], options);
  }

  home(name: string): string {
    return join(this.folder, name);
  }

  /** Undoes what a test did outside the folder, when its processes are gone. */
  onClose(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    for (const process of this.#processes) process.signal('SIGKILL');
    await Promise.all(this.#processes.map((process) => process.ended));
    // What `up` has started names a home in this folder, which is nobody else's.
    for (const pid of processesNaming(this.folder) ?? []) killIfThere(pid);
    for (const undo of this.#undo.reverse()) await undo();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

const local = (args: readonly string[]) => [
  ...(args.includes('--listen') ? [] : ['--listen', '127.0.0.1']),
  '--threads',
  '1',
];

/** One start of `./folkmoot`. */
export class Process {
  readonly name: string;
  readonly home: string;
  readonly args: readonly string[];
  readonly lines: Line[] = [];
  stderr = '';
  /** Resolves when the process is gone and its output read. `code` is null where a signal ended it. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly #child: ChildProcess;
  #over = false;

  constructor(name: string, home: string, args: readonly string[], { behind = [], env = {} }: StartOptions) {
    this.name = name;
    this.home = home;
    this.args = args;
    const [file, ...rest] = [...behind, script, '--home', home, '--json', ...args] as [string, ...string[]];
    this.#child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let partial = '';
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const parts = (partial + text).split('\n');
      partial = parts.pop()!;
      for (const part of parts) this.lines.push(JSON.parse(part));
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => {
        this.#over = true;
        resolve({ code, signal });
      }),
    );
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** It was ended from here, so that its end says nothing about it. */
  wasKilled = false;

  get isOver(): boolean {
    return this.#over;
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGINT' | 'SIGTERM'): void {
    if (!this.#over) this.#child.kill(signal);
  }

  /** Ends it without warning, and waits until it is gone. */
  async kill(): Promise<void> {
    this.wasKilled = true;
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Waits for a line that satisfies `isIt`. Fails where the process ends without it. */
  async line(what: string, isIt: (line: Line) => boolean): Promise<Line> {
    await until(what, () => this.lines.some(isIt) || this.isOver, [this]);
    const found = this.lines.find(isIt);
    assert.ok(found, `${this.name} ended without ${what}:\n${this.output}`);
    return found;
  }

  /** Waits until it takes part; returns what it tells of itself then. */
  async started(): Promise<{ runId: Hash; invite: string; member: string; device: Hash; addresses: string[] }> {
    return (await this.line('taking part', ({ type }) => type === 'started')) as never;
  }

  /** Waits for its end, which must be a good one, and returns its last line. */
  async summary(): Promise<Summary> {
    await until(`the end of ${this.name}`, () => this.isOver, [this]);
    const { code, signal } = await this.ended;
    assert.equal(code, 0, `${this.name} ended with ${signal ?? code}:\n${this.output}`);
    const last = this.lines.at(-1);
    assert.equal(last?.type, 'summary', this.output);
    return last as unknown as Summary;
  }

  /** Waits for its end, which must be a failure with code 1, and returns what it says about it. */
  async failure(): Promise<NonNullable<Line['error']>> {
    await until(`the end of ${this.name}`, () => this.isOver, [this]);
    const { code } = await this.ended;
    const { error } = this.lines.at(-1) ?? {};
    assert.ok(error, `${this.name} ended with ${code} and no failure:\n${this.output}`);
    assert.equal(code, 1, this.output);
    return error;
  }

  /** What it has printed lately, for messages of failed assertions. */
  get output(): string {
    const lines = this.lines.slice(-15).map((line) => JSON.stringify(line).slice(0, 600));
    return `${this.name}:\n${lines.join('\n')}\n${this.stderr.slice(-2000)}`;
  }
}

/** Waits until `isSo`; a failed wait tells what the processes said. */
export async function until(what: string, isSo: () => boolean, processes: readonly Process[] = []): Promise<void> {
  const giveUpMs = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(Date.now() < giveUpMs, `waited in vain for ${what}\n${processes.map(({ output }) => output).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export function openLog(home: string, run: Hash): LogView {
  return new LogView(home, run);
}

/** The records of one kind in the log, refused ones too. */
export function recordsOf<K extends RecordKind>(log: LogView, kind: K): RecordOf<K>[] {
  log.now();
  return log.entries.flatMap(({ record: { body } }) => (body.kind === kind ? [body as unknown as RecordOf<K>] : []));
}

/** The log in a home, read while its owner writes it, and the state that it folds to. */
export class LogView {
  readonly run: Hash;
  state: State;
  readonly entries: Entry[] = [];
  readonly #path: string;
  readonly #lines: string[] = [];

  constructor(home: string, run: Hash) {
    this.run = run;
    this.#path = join(home, 'runs', run, 'log.jsonl');
    this.state = initialState(charterIn(home, run));
  }

  /** Reads on, tells `listener` what each new entry brought about, and returns the state. */
  now(listener: (event: Event) => void = () => {}): State {
    const text = readFileSync(this.#path, 'utf8');
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
    // Where electors have voted the end of the log away, it is told again from the start.
    if (lines.length < this.#lines.length || lines[this.#lines.length - 1] !== this.#lines.at(-1)) this.#forget();
    for (const line of lines.slice(this.entries.length)) {
      this.#lines.push(line);
      const entry = readEntry(this.state, JSON.parse(line));
      assert.ok(entry.ok, 'entries of the log are signed');
      for (const event of apply(this.state, entry.value)) listener(event);
      this.entries.push(entry.value);
    }
    return this.state;
  }

  #forget(): void {
    this.state = initialState(this.state.charter);
    this.entries.length = 0;
    this.#lines.length = 0;
  }

  /** Waits until the state satisfies `isSo`, and returns it. */
  async until(what: string, isSo: (state: State) => boolean, processes?: readonly Process[]): Promise<State> {
    await until(what, () => isSo(this.now()), processes);
    return this.state;
  }

  /** Entries are written once: what the log says now is what it said before, and more. */
  earnedAfterEachEntry(): Map<string, number>[] {
    const state = initialState(this.state.charter);
    return this.entries.map((entry) => {
      apply(state, entry);
      return earnedIn(state);
    });
  }
}

/** Credits by account. */
export function earnedIn(state: State): Map<string, number> {
  return new Map(Object.entries(state.ledger.accounts).map(([account, { earned }]) => [account, earned]));
}

/** Credits that were given are never taken back, as long as nobody is proven at fault. */
export function assertNothingCreditedIsLost(log: LogView): void {
  log.now();
  let before = new Map<string, number>();
  for (const [index, earned] of log.earnedAfterEachEntry().entries()) {
    for (const [account, credits] of before)
      assert.ok((earned.get(account) ?? 0) >= credits, `entry ${index} takes credits from ${account}`);
    before = earned;
  }
}

/** The path of an artifact in a home. */
export function objectPath(home: string, run: Hash, id: Hash): string {
  return join(home, 'runs', run, 'store', 'objects', id.slice(0, 2), id.slice(2));
}

function charterIn(home: string, run: Hash): Charter {
  const charter = parseCharter(readFileSync(objectPath(home, run, run)), run);
  assert.ok(charter.ok);
  return charter.value;
}

/** Processes whose command line names `text`, by `/proc`; `undefined` where there is none. */
export function processesNaming(text: string): number[] | undefined {
  const paths = globSync('/proc/[0-9]*/cmdline');
  if (paths.length === 0) return undefined;
  return paths.flatMap((path) => {
    try {
      const command = fromUtf8(readFileSync(path)).split('\0');
      return command.some((part) => part.includes(text)) ? [Number(path.split('/')[2])] : [];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}
