/** Small models and made-up rounds for this package's tests. */
import { SeededRandom } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';

export const DENSE: CodecRules = { kind: 'dense', block: 4096 };
export const SPARSE: CodecRules = { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' };

/** A layout of tensors with these sizes. */
export function layoutOf(...sizes: number[]): ParameterLayout {
  let offset = 0;
  const tensors = sizes.map((elements, i) => {
    const tensor = { name: `tensor.${i}`, shape: [elements], offset, elements };
    offset += elements;
    return tensor;
  });
  return { tensors, elements: offset, blocks: { count: 0, elements: 0 }, matrixElements: offset };
}

/** Numbers that look like changes of parameters: heavy-tailed, about `scale` wide, the same for one seed. */
export function changes(seed: string, elements: number, scale = 0.001): Float32Array {
  const random = new SeededRandom(seed);
  const uniform = () => random.uint32() / 2 ** 32;
  return Float32Array.from({ length: elements }, () => {
    const bell = uniform() + uniform() + uniform() - 1.5;
    return scale * bell * (uniform() < 0.1 ? 4 : 1);
  });
}
