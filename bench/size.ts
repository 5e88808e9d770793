/** How large an update is, and what a round sends beside synchronous data-parallel training. All from real artifacts. */
import { SeededRandom } from '@folkmoot/core';
import { PRESETS, type PresetName, parameterLayout } from '@folkmoot/model';
import { exchangeRules, RUN_PRESETS, type RunRules } from '@folkmoot/node';
import { encodeUpdate } from '@folkmoot/training';
import type { Figure } from './bench.ts';

/** The published codec: 64 of 4096 parameters, 12 bits for the place and 2 for the value. */
const PUBLISHED_BITS = (64 * (12 + 2)) / 4096;
const CODEBOOK_BITS = 4 * 32;
const MEMBERS = 3;

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  for (const preset of Object.keys(PRESETS) as PresetName[]) {
    for (const { codec: rules } of [exchangeRules('dense'), exchangeRules('sparse')]) {
      signal.throwIfAborted();
      const layout = parameterLayout(PRESETS[preset]);
      const bytes = artifactBytes(preset, rules);
      const bits = (8 * bytes) / layout.elements;
      const ideal =
        rules.kind === 'dense' ? 8 : PUBLISHED_BITS + (CODEBOOK_BITS * layout.tensors.length) / layout.elements;
      const isDefault = RUN_PRESETS[preset].codec.kind === rules.kind;
      const name = `${preset}, ${rules.kind}${isDefault ? ' (default)' : ''}`;
      const share = ((100 * bits) / ideal).toFixed(2);
      const of = rules.kind === 'dense' ? '8 bits' : `the published codec's 0.21875 and codebooks, ${ideal.toFixed(5)}`;
      yield { name, value: bits, unit: 'bits/parameter', note: `${share} % of ${of}` };
      yield { name: `${name}: artifact`, value: bytes, unit: 'bytes', note: `${layout.elements} parameters` };
      if (isDefault) yield* roundFigures(preset, layout.elements, bytes);
    }
  }
}

/** What each of three members sends in a round: its update to the others, against a ring all-reduce in every step. */
function* roundFigures(preset: PresetName, elements: number, artifact: number): Iterable<Figure> {
  const { stepsPerRound } = RUN_PRESETS[preset];
  const ours = (MEMBERS - 1) * artifact;
  const ring = ((2 * (MEMBERS - 1)) / MEMBERS) * 4 * elements * stepsPerRound;
  const note = `${stepsPerRound} steps, ${MEMBERS} members, without audits`;
  yield { name: `${preset}: a member sends in a round`, value: ours, unit: 'bytes', note };
  yield { name: `${preset}: per-step f32 all-reduce`, value: ring, unit: 'bytes' };
  yield { name: `${preset}: all-reduce is larger by`, value: ring / ours, unit: 'times' };
}

function artifactBytes(preset: PresetName, rules: RunRules['codec']): number {
  const layout = parameterLayout(PRESETS[preset]);
  const random = new SeededRandom(`size ${preset}`);
  const change = Float32Array.from({ length: layout.elements }, () => (random.uint32() / 2 ** 32 - 0.5) / 500);
  const nothing = { end: new Float32Array(layout.elements), errorIn: new Uint16Array(layout.elements) };
  const encoded = encodeUpdate(rules, layout, { base: change, ...nothing });
  if (!encoded.ok) throw new Error(encoded.reason);
  return encoded.bytes.length;
}
