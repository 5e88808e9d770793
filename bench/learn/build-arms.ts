/** Words to write arms with: the groups and optimizers that experiments share. */
import { ADAMW, MUON, type OptimizerRules } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import type { Arm } from './arm.ts';

/** H of most arms, and their rounds: 3,000 steps of 1,024 tokens in all. */
export const STEPS = 30;
export const ROUNDS = 100;
/** Rows of one step of all members together. */
export const BATCH_ROWS = 16;

export const DENSE: CodecRules = { kind: 'dense', block: 4096 };
export const sparse = (keep = 64, errorDecay = '0.95'): CodecRules => ({
  kind: 'sparse',
  chunk: 4096,
  keep,
  errorDecay,
});

export function adamw(learningRate: string): OptimizerRules {
  return { ...ADAMW, learningRate, ...overAll(ROUNDS * STEPS) };
}

export function muon(learningRate: string): OptimizerRules {
  return { ...MUON, learningRate, ...overAll(ROUNDS * STEPS) };
}

/** Four members with sparse updates, where `part` says nothing else. */
export function group(part: Partial<Arm> & Pick<Arm, 'id' | 'optimizer'>): Arm {
  const members = part.members ?? 4;
  return {
    members,
    rounds: ROUNDS,
    steps: [[0, STEPS]],
    rows: BATCH_ROWS / members,
    codec: [[0, sparse()]],
    outerRate: [[0, '1']],
    ...part,
  };
}

export function dense(part: Partial<Arm> & Pick<Arm, 'id' | 'optimizer'>): Arm {
  return group({ codec: [[0, DENSE]], ...part });
}

/** One optimizer on the whole batch: what synchronous data-parallel training computes. */
export function dataParallel(id: string, optimizer: OptimizerRules): Arm {
  return group({ id, optimizer, members: 1, codec: [[0, 'none']] });
}

/** One of `members` members, all by itself. */
export function alone(id: string, optimizer: OptimizerRules, members: number): Arm {
  return { ...dataParallel(id, optimizer), rows: BATCH_ROWS / members };
}

/** The same for fewer rounds of `steps` steps, with the schedule as long. */
export function lasting(rounds: number, arm: Arm, steps = STEPS): Arm {
  return { ...arm, rounds, steps: [[0, steps]], optimizer: { ...arm.optimizer, ...overAll(rounds * steps) } };
}

/** A warm-up and half a cosine over a run of `steps` steps. */
function overAll(steps: number) {
  return { warmupSteps: Math.min(100, steps / 10), schedule: { kind: 'cosine', steps, finalRate: '0.05' } } as const;
}
