/** What every command's action gets: the global options, and the ways to speak to the person who typed it. */
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { defaultHome } from './home.ts';

export interface Invocation {
  /** Absolute path of the member's state. Not created yet. */
  readonly home: string;
  readonly json: boolean;
  readonly yes: boolean;
  /** Whether stdout shows colours. */
  readonly color: boolean;
  /** Whether stdout is a terminal on which lines can be redrawn. */
  readonly live: boolean;
  /** A line for people, on stdout; nothing with `--json`. */
  say(line: string): void;
  /** An object for scripts: one line of JSON on stdout, with `--json` only. */
  object(value: object): void;
  /** A line beside the result, on stderr. */
  note(line: string): void;
  /**
   * Asks on the terminal and returns on yes (at once with `--yes`). Throws `WorldError`: `declined`, or
   * `confirmation-needed` where there is nobody to ask.
   */
  confirm(question: string): Promise<void>;
  /** Aborts, with a `WorldError` `interrupted`, at the first Ctrl+C or SIGTERM. The second one ends the process. */
  stopSignal(): AbortSignal;
}

/** Adapts `body` to commander: the invocation, the command's own options, then its operands. */
export function action<Options, Operands extends unknown[]>(
  body: (call: Invocation, options: Options, ...operands: Operands) => Promise<void> | void,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    await body(invocationOf(command), args.at(-2) as Options, ...(args.slice(0, -2) as Operands));
  };
}

interface GlobalOptions {
  home: string;
  json?: boolean;
  yes?: boolean;
  color: boolean;
}

function invocationOf(command: Command): Invocation {
  const options = command.optsWithGlobals<GlobalOptions>();
  const json = options.json === true;
  const terminal = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  return {
    // FOLKMOOT_HOME= is unset, not the working directory.
    home: resolve(options.home || defaultHome()),
    json,
    yes: options.yes === true,
    // https://no-color.org: any value but the empty one.
    color: terminal && options.color && !process.env.NO_COLOR,
    live: terminal && !json,
    say: (line) => void (json || process.stdout.write(`${line}\n`)),
    object: (value) => void (json && process.stdout.write(`${JSON.stringify(value)}\n`)),
    note: (line) => void process.stderr.write(`${line}\n`),
    confirm: (question) => (options.yes ? Promise.resolve() : confirm(question)),
    stopSignal,
  };
}

async function confirm(question: string): Promise<void> {
  const { WorldError } = await import('@folkmoot/core');
  if (!process.stdin.isTTY) {
    throw new WorldError('confirmation-needed', question, { help: 'Add --yes to agree without being asked.' });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new WorldError('declined', 'Nothing was done.');
  } finally {
    terminal.close();
  }
}

let stopping: AbortController | undefined;

function stopSignal(): AbortSignal {
  if (stopping !== undefined) return stopping.signal;
  const controller = new AbortController();
  stopping = controller;
  const stop = async () => {
    if (controller.signal.aborted) process.exit(130);
    const { WorldError } = await import('@folkmoot/core');
    controller.abort(new WorldError('interrupted', 'Stopped.'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
  return controller.signal;
}
