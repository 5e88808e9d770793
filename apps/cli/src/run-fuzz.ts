/** The fuzzers of `test/fuzz`, for a person: progress, Ctrl+C, and a finding kept as a file. */

import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { Coverage } from '../../../test/fuzz/coverage.ts';
import type { Fuzzed, Guided, Target } from '../../../test/fuzz/index.ts';
import type { Invocation } from './invocation.ts';
import { parseCount } from './run/take-part.ts';

export interface FuzzOptions {
  readonly inputs: string;
  readonly seed: string;
  readonly from: string;
  readonly guided?: boolean;
}

/** Inputs between two looks at Ctrl+C. */
const SLICE = 500;

export async function runFuzz(call: Invocation, options: FuzzOptions, names: string[]): Promise<void> {
  const from = natural('--from', options.from);
  const to = from + parseCount('--inputs', options.inputs);
  const signal = call.stopSignal();
  // Before the readers are loaded, or it would see no blocks of theirs.
  const coverage = options.guided ? new Coverage() : undefined;
  const fuzzers = await import('../../../test/fuzz/index.ts');
  const targets = chosen(fuzzers, names);
  call.say('target               inputs     valid   slowest   most memory');
  for (const target of targets) {
    if (coverage) {
      await guided(call, fuzzers, target, options.seed, to - from, coverage);
      continue;
    }
    let total: Fuzzed = { inputs: 0, taken: 0, slowestMs: 0, largestBytes: 0 };
    for (let at = from; at < to; at += SLICE) {
      total = sum(total, await slice(fuzzers, target, options.seed, at, Math.min(to, at + SLICE)));
      if (call.live) process.stdout.write(`\r${line(target, total)}`);
      // Lets the signal's handler run.
      await new Promise(setImmediate);
      if (signal.aborted) break;
    }
    // Also of what was stopped: its inputs were made.
    call.object({ target: target.name, seed: options.seed, ...total });
    call.say(`${call.live ? '\r' : ''}${line(target, total)}`);
    signal.throwIfAborted();
  }
}

type Fuzzers = typeof import('../../../test/fuzz/index.ts');

function chosen({ targets }: Fuzzers, names: readonly string[]): readonly Target[] {
  const unknown = names.find((name) => targets.every((target) => target.name !== name));
  if (unknown !== undefined)
    throw new WorldError('no-such-target', `There is no target "${unknown}".`, {
      help: `There are: ${targets.map(({ name }) => name).join(', ')}.`,
    });
  return targets.filter(({ name }) => names.length === 0 || names.includes(name));
}

async function guided(
  call: Invocation,
  fuzzers: Fuzzers,
  target: Target,
  seed: string,
  inputs: number,
  coverage: Coverage,
): Promise<void> {
  const signal = call.stopSignal();
  const show = (sofar: Guided) => `${line(target, sofar)}   kept ${sofar.corpus}, letters ${sofar.letters}`;
  let sofar: Guided | undefined;
  const onBatch = async (now: Guided) => {
    sofar = now;
    if (call.live) process.stdout.write(`\r${show(now)}`);
    await new Promise(setImmediate);
    signal.throwIfAborted();
  };
  try {
    await fuzzers.fuzzGuided(target, seed, inputs, coverage, onBatch);
  } catch (error) {
    if (!signal.aborted || error instanceof fuzzers.Finding) return explained(fuzzers, error);
  }
  call.object({ target: target.name, seed, ...sofar });
  call.say(`${call.live ? '\r' : ''}${sofar ? show(sofar) : target.name}`);
  signal.throwIfAborted();
}

async function slice(fuzzers: Fuzzers, target: Target, seed: string, from: number, to: number): Promise<Fuzzed> {
  try {
    return await fuzzers.fuzz(target, seed, to, from);
  } catch (error) {
    return explained(fuzzers, error);
  }
}

/** Keeps a finding's input as a file. Throws `fuzz-finding`. */
async function explained({ Finding }: Fuzzers, error: unknown): Promise<never> {
  if (!(error instanceof Finding)) throw error;
  const path = join(tmpdir(), `folkmoot-fuzz-${error.target}-${error.index}.bin`);
  await writeFile(path, error.input);
  throw new WorldError('fuzz-finding', error.message, {
    facts: { input: path },
    help: `See it again: folkmoot fuzz ${error.target} with the same --seed, --from ${error.index} --inputs 1 (not with --guided, whose input is in the file).`,
    cause: error.cause,
  });
}

function sum(a: Fuzzed, b: Fuzzed): Fuzzed {
  return {
    inputs: a.inputs + b.inputs,
    taken: a.taken + b.taken,
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
    largestBytes: Math.max(a.largestBytes, b.largestBytes),
  };
}

function line({ name }: Target, { inputs, taken, slowestMs, largestBytes }: Fuzzed): string {
  const columns = [
    name.padEnd(16),
    inputs.toLocaleString('en-US').padStart(11),
    taken.toLocaleString('en-US').padStart(9),
    `${slowestMs.toFixed(0)} ms`.padStart(9),
    `${(largestBytes / 2 ** 20).toFixed(1)} MiB`.padStart(13),
  ];
  return columns.join(' ');
}

function natural(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new WorldError('bad-number', `${name} is a natural number, not "${text}".`);
}
