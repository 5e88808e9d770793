/** The charter's optimizer rules from a preset's and from what was typed. */
import { WorldError } from '@folkmoot/core';
import { MUON, type Schedule } from '@folkmoot/model';
import type { RunRules } from '@folkmoot/node';
import { brokenOptimizer, type OptimizerRules } from '@folkmoot/records';
import type { OptimizerOptions } from '../commands/optimizer-options.ts';
import { parseCount } from './take-part.ts';

/** The options that make rules, alone; a schedule that ends takes its length from `rounds` where nothing else is said. */
export function optimizerOptionsOf(options: OptimizerOptions & { readonly rounds?: string }): OptimizerOptions {
  const { optimizer, learningRate, weightDecay, zLoss, warmupSteps, schedule } = options;
  const { decayRounds, decayShape, finalRate } = options;
  return {
    ...{ optimizer, learningRate, weightDecay, zLoss, warmupSteps, schedule, decayRounds, decayShape, finalRate },
    embeddingDecay: options.embeddingDecay === false ? false : undefined,
    plannedRounds: options.plannedRounds ?? (schedule === 'cosine' || schedule === 'wsd' ? options.rounds : undefined),
  };
}

/** Throws `optimizer-invalid` with the first rule that is broken, `schedule-length`, `bad-number`. */
export function optimizerOf(
  { optimizer: preset, stepsPerRound }: Pick<RunRules, 'optimizer' | 'stepsPerRound'>,
  options: OptimizerOptions,
): OptimizerRules {
  const { optimizer: kind = preset.kind, learningRate, weightDecay, zLoss, warmupSteps } = options;
  const rules = {
    ...ofKind(preset, kind),
    learningRate: learningRate ?? preset.learningRate,
    weightDecay: weightDecay ?? preset.weightDecay,
    decayEmbeddings: options.embeddingDecay ?? preset.decayEmbeddings,
    zLoss: zLoss ?? preset.zLoss,
    warmupSteps: warmupSteps === undefined ? preset.warmupSteps : parseCount('--warmup-steps', warmupSteps),
    schedule: scheduleOf(options, stepsPerRound) ?? preset.schedule,
  };
  const reason = idleOption(options) ?? brokenOptimizer(rules);
  if (reason === undefined) return rules;
  throw new WorldError('optimizer-invalid', `The run cannot learn like this: ${reason}.`, {
    help: 'Numbers are plain decimals, such as 0.0003. See --help for what each option means.',
  });
}

/** An option that nothing would look at: whoever gave it expects something else of the run. */
function idleOption({
  schedule,
  plannedRounds,
  finalRate,
  decayRounds,
  decayShape,
}: OptimizerOptions): string | undefined {
  if (schedule !== 'wsd' && (decayRounds ?? decayShape) !== undefined)
    return '--decay-rounds and --decay-shape are for --schedule wsd';
  if (schedule !== 'wsd' && schedule !== 'cosine' && (plannedRounds ?? finalRate) !== undefined)
    return '--planned-rounds and --final-rate are for --schedule cosine or wsd';
  return undefined;
}

/** `rules` for another optimizer: what both have stays. */
function ofKind(rules: OptimizerRules, kind: OptimizerRules['kind']): OptimizerRules {
  if (rules.kind === kind) return rules;
  if (kind === 'muon') return { ...MUON, ...rules, kind };
  const { momentum, updateRms, ...shared } = { ...MUON, ...rules };
  return { ...shared, kind };
}

function scheduleOf(options: OptimizerOptions, stepsPerRound: number): Schedule | undefined {
  const { schedule: kind, plannedRounds, decayRounds, decayShape = 'sqrt', finalRate = '0.1' } = options;
  if (kind === undefined || kind === 'constant') return kind && { kind };
  if (plannedRounds === undefined)
    throw new WorldError('schedule-length', `A ${kind} schedule has an end, and nobody said when.`, {
      help: 'Add --planned-rounds, or --rounds; a run may go on beyond it at the final rate.',
    });
  const rounds = parseCount('--planned-rounds', plannedRounds);
  const steps = rounds * stepsPerRound;
  if (kind === 'cosine') return { kind, steps, finalRate };
  const decay = decayRounds === undefined ? Math.ceil(rounds / 5) : parseCount('--decay-rounds', decayRounds);
  return { kind, steps, decaySteps: decay * stepsPerRound, finalRate, shape: decayShape };
}
