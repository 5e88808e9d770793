/** Rules for a model that is no preset: those of the preset nearest in size, with as many tokens in a step. */
import { type ModelConfig, type PresetName, parameterLayout } from '@folkmoot/model';
import { RUN_PRESETS, type RunRules } from './presets.ts';

/** The preset whose number of parameters is nearest, by ratio. */
export function nearestPreset(model: ModelConfig): PresetName {
  const size = parameterLayout(model).elements;
  const apart = (name: PresetName) => {
    const other = parameterLayout(RUN_PRESETS[name].model).elements;
    return Math.max(size / other, other / size);
  };
  const names = Object.keys(RUN_PRESETS) as PresetName[];
  return names.reduce((best, name) => (apart(name) < apart(best) ? name : best));
}

/**
 * Rules that suit `model`.
 *
 * A step has about as many tokens as one of the nearest preset, and at least one row. Above 200 million parameters the
 * learning rate falls as in GPT-3's table (Brown et al. 2020).
 */
export function rulesForModel(model: ModelConfig): RunRules {
  const rules = RUN_PRESETS[nearestPreset(model)];
  const stepTokens = rules.batchRows * rules.model.context;
  const batchRows = Math.max(1, Math.round(stepTokens / model.context));
  const rate = largeModelRate(parameterLayout(model).elements);
  const optimizer = rate === undefined ? rules.optimizer : { ...rules.optimizer, learningRate: rate };
  return { ...rules, model, batchRows, optimizer };
}

function largeModelRate(parameters: number): string | undefined {
  if (parameters <= 200e6) return undefined;
  if (parameters <= 600e6) return '0.0003';
  return parameters <= 1000e6 ? '0.00025' : '0.0002';
}
