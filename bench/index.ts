/** Every benchmark: its name, what it answers, and the file, loaded only when it runs. */
import type { Bench } from './bench.ts';

export interface BenchEntry {
  readonly description: string;
  /** Takes hours: not part of "all". */
  readonly long?: true;
  load(): Promise<Bench>;
}

export const benches: Readonly<Record<string, BenchEntry>> = {
  apply: {
    description: 'folding a log of 100,000 verified entries (about half a minute, most of it to make the log)',
    load: () => import('./apply.ts'),
  },
  calibrate: {
    description: 'how far honest engines are from each other over 1,000 steps (a quarter of an hour; resumes)',
    long: true,
    load: () => import('./calibrate.ts'),
  },
  corruption: {
    description: 'one operator of a step is wrong by a part in a thousand, each in turn: who notices (some minutes)',
    load: () => import('./corruption.ts'),
  },
  data: {
    description: 'what near-duplicate removal and quality filters do to the hold-out loss, three seeds (some minutes)',
    load: () => import('./data.ts'),
  },
  goodput: {
    description:
      'what a run delivers while a fifth of its trainers fails in every round, with and without reserves (some minutes)',
    load: () => import('./goodput.ts'),
  },
  help: {
    description: 'how well it tells who trained on the rows that it was given, on real text (some minutes)',
    load: () => import('./help.ts'),
  },
  idle: {
    description: 'memory of a member process that waits for others (Linux and macOS; half a minute)',
    load: () => import('./idle.ts'),
  },
  large: {
    description:
      'a 124M-parameter model and contexts to 4k: memory said and measured, time, loss (some minutes; 8 GB; --only 124M)',
    long: true,
    load: () => import('./large.ts'),
  },
  scale: {
    description: 'a round of 100 to 10,000 members in the reducer: CPU and memory (some minutes)',
    load: () => import('./scale/scale.ts'),
  },
  learn: {
    description:
      'what training together costs in loss and bytes: experiments L1 to L8 (hours; goes on where it stopped)',
    long: true,
    load: () => import('./learn/learn.ts'),
  },
  security: {
    description:
      'what every adversary earns, what is found, who is accused: the tables of docs/security.md (some minutes)',
    load: () => import('./security/security.ts'),
  },
  signatures: {
    description: 'signatures made and verified per second: what bounds a log that is read from the start',
    load: () => import('./signatures.ts'),
  },
  size: {
    description: 'bits per parameter of an update, and bytes per round beside per-step all-reduce',
    load: () => import('./size.ts'),
  },
  start: {
    description: 'time until the command line speaks',
    load: () => import('./start.ts'),
  },
  step: {
    description:
      'tokens per second, memory and time in products of a training step: native, exact, PyTorch (two minutes)',
    load: () => import('./step.ts'),
  },
  tax: {
    description: 'three members of a small run against three plain training loops (a quarter of an hour)',
    load: () => import('./tax.ts'),
  },
  together: {
    description: 'the hold-out loss of three members and of one, the same steps each (about two minutes)',
    load: () => import('./together.ts'),
  },
};
