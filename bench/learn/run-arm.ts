/** One arm with one seed, from the first round to the last. */
import type { Engine } from '@folkmoot/tensor';
import { type Arm, armName, stepsBefore } from './arm.ts';
import { Group, type RoundReport } from './group.ts';
import type { Text } from './text.ts';

/** One line of the raw results. */
export interface Result {
  readonly arm: string;
  readonly seed: number;
  /** Of the arm's definition and of the text: what changed since is run again. */
  readonly config: string;
  readonly text: string;
  /** Hold-out loss in nats per byte after so many rounds. */
  readonly curve: readonly (readonly [rounds: number, loss: number])[];
  readonly trainLoss: number;
  /** Of all updates, as they were encoded. */
  readonly bytes: number;
  readonly dropped: number;
  readonly honestDropped: number;
  /** Over all rounds; 0 in results from before it was counted, and where not everybody merges. */
  readonly disagreements?: number;
  readonly meanNormShare?: number;
  readonly inputTokens: number;
  readonly cpuSeconds: number;
  /** Hash of the base after the last round. */
  readonly base: string;
  readonly diverged?: string;
}

const EVALUATIONS = 10;

export async function runArm(
  arm: Arm,
  seed: number,
  text: Text,
  engine: Engine,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Result> {
  const started = process.cpuUsage();
  const group = await Group.create(arm, seed, text, engine);
  const curve: [number, number][] = [];
  const reports: RoundReport[] = [];
  let diverged: string | undefined;
  const every = Math.ceil(arm.rounds / EVALUATIONS);
  try {
    for (let round = 0; round < arm.rounds; round++) {
      signal?.throwIfAborted();
      reports.push(await group.round(round));
      if ((round + 1) % every === 0 || round + 1 === arm.rounds) curve.push([round + 1, await group.loss()]);
    }
  } catch (error) {
    if (!(error instanceof Error) || !/diverged|not finite/.test(error.message)) throw error;
    diverged = error.message;
  }
  const total = (pick: (report: RoundReport) => number) => reports.reduce((sum, report) => sum + pick(report), 0);
  const shares = reports.flatMap(({ meanNormShare }) => meanNormShare ?? []);
  const { user, system } = process.cpuUsage(started);
  const base = group.baseHash;
  await group.free();
  return {
    arm: arm.id,
    seed,
    config: armName(arm),
    text: text.id,
    curve,
    trainLoss: reports.at(-1)?.trainLoss ?? Number.NaN,
    bytes: total(({ bytes }) => bytes),
    dropped: total(({ dropped }) => dropped),
    honestDropped: total(({ honestDropped }) => honestDropped),
    disagreements: total(({ disagreements }) => disagreements),
    ...(shares.length > 0 ? { meanNormShare: shares.reduce((sum, share) => sum + share, 0) / shares.length } : {}),
    inputTokens: (arm.members - (arm.attack?.liars ?? 0)) * arm.rows * 64 * stepsBefore(arm, arm.rounds),
    cpuSeconds: (user + system) / 1e6,
    base,
    ...(diverged === undefined ? {} : { diverged }),
  };
}
