/** Rules that suit a model size: what `create --preset` puts into the charter. */
import { ADAMW, MUON, PRESETS, type PresetName } from '@folkmoot/model';
import type { Charter } from '@folkmoot/records';
import { CALIBRATION, CALIBRATION_ID } from '@folkmoot/verify';

export type RunRules = Pick<
  Charter,
  | 'model'
  | 'batchRows'
  | 'microRows'
  | 'stepsPerRound'
  | 'stepsPerSegment'
  | 'optimizer'
  | 'codec'
  | 'aggregator'
  | 'engine'
  | 'timing'
  | 'committee'
  | 'lease'
  | 'audit'
  | 'succession'
  | 'credit'
  | 'sharePolicy'
>;

/** Default data by preset, bytes of text. */
export const DEFAULT_DATA_BYTES: Readonly<Record<PresetName, number>> = { tiny: 4e6, small: 16e6, medium: 32e6 };

/**
 * What members tell each other, and what is made of it.
 *
 * Dense updates gain from Nesterov's momentum. Sparse ones come late as they are and lose by it; they gain where trainers
 * start ahead of the base by half of what they have not been able to say, though not in the first rounds
 * (docs/results/learning/findings.md).
 */
export function exchangeRules(kind: Charter['codec']['kind']): Pick<RunRules, 'codec' | 'aggregator'> {
  return kind === 'dense' ? DENSE : SPARSE;
}

const DENSE = {
  codec: { kind: 'dense', block: 4096 },
  aggregator: { kind: 'clipped-mean', outerRate: '0.7', momentum: '0.6' },
} as const;
const SPARSE = {
  codec: { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95', ahead: '0.5', aheadFrom: 20 },
  aggregator: { kind: 'clipped-mean', outerRate: '1' },
} as const;

/** What a run of engine class `kind` tolerates: nothing on `exact`, elsewhere what was measured between honest engines. */
export function engineRules(kind: Charter['engine']['kind']): Charter['engine'] {
  return kind === 'exact'
    ? { kind, tolerancePpm: 0 }
    : { kind, tolerancePpm: CALIBRATION.tolerance.segmentPpm, calibration: CALIBRATION_ID };
}

const common = {
  engine: engineRules('native'),
  timing: {
    openMs: 4000,
    trainMs: 1_800_000,
    revealMs: 30_000,
    witnessMs: 60_000,
    finalizeMs: 60_000,
    graceMs: 5000,
    openTraceMs: 60_000,
    auditMs: 300_000,
  },
  committee: { minMembers: 2, maxTrainers: 256, maxWitnesses: 16 },
  lease: { everyMs: 5000, lapseMs: 20_000, reserves: 64 },
  audit: { floorPpm: 50_000 },
  succession: { silenceMs: 20_000, everyRounds: 0, complaintRounds: 2 },
  credit: { perSegment: 100, vestingRounds: 20 },
  // Who worked here keeps its credit in every fork.
  sharePolicy: { kind: 'carry', basisPoints: 10_000 },
} as const;

/**
 * Sparse updates pay their debt only after some fifty rounds, so the smallest preset, made for short runs, is dense. Muon
 * learns more of the same tokens, dense and sparse (docs/results/learning/findings.md); turning the matrices of `medium`
 * would take as long as a pass over its small batch, so it stays with AdamW.
 */
export const RUN_PRESETS: Readonly<Record<PresetName, RunRules>> = {
  tiny: {
    ...common,
    model: PRESETS.tiny,
    batchRows: 16,
    stepsPerRound: 20,
    stepsPerSegment: 5,
    optimizer: { ...MUON, learningRate: '0.003', warmupSteps: 20 },
    ...DENSE,
  },
  small: {
    ...common,
    model: PRESETS.small,
    batchRows: 8,
    stepsPerRound: 30,
    stepsPerSegment: 6,
    optimizer: MUON,
    ...SPARSE,
  },
  medium: {
    ...common,
    model: PRESETS.medium,
    batchRows: 4,
    stepsPerRound: 30,
    stepsPerSegment: 6,
    optimizer: { ...ADAMW, learningRate: '0.0006', warmupSteps: 100 },
    ...SPARSE,
  },
};
