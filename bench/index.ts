/** Every benchmark: its name, what it answers, and the file, loaded only when it runs. */
import type { Bench } from './bench.ts';

export interface BenchEntry {
  readonly description: string;
  load(): Promise<Bench>;
}

export const benches: Readonly<Record<string, BenchEntry>> = {
  signatures: {
    description: 'signatures made and verified per second: what bounds a log that is read from the start',
    load: () => import('./signatures.ts'),
  },
  step: {
    description:
      'tokens per second of a training step: native, exact, and PyTorch where it is installed (about a minute)',
    load: () => import('./step.ts'),
  },
  together: {
    description: 'the hold-out loss of three members and of one, the same steps each (about two minutes)',
    load: () => import('./together.ts'),
  },
};
