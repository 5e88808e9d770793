/** Valid inputs of the sizes of a small run, made once. */
import { bytesOf, sha256, utf8 } from '@folkmoot/core';
import { exportFiles, initialParameters, type ModelConfig, parameterLayout, Tokenizer } from '@folkmoot/model';
import { CHARTER, RUN } from '@folkmoot/records/test-support';

export const TEXT =
  'People who do not trust each other train, check and own a model together. 0123456789 ünï ✓\n'.repeat(6);

export const MODEL: ModelConfig = {
  ...{ vocab: 300, hidden: 16, layers: 1, heads: 2, kvHeads: 1, feedForward: 32, context: 16 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
export const LAYOUT = parameterLayout(MODEL);
export const PARAMS = initialParameters(MODEL, sha256(utf8('fuzz')));

/** The files of a model in Hugging Face form. */
export function exportedFolder(): Map<string, Uint8Array> {
  return exportFiles({
    config: MODEL,
    params: PARAMS,
    tokenizerJson: Tokenizer.train([TEXT], MODEL.vocab).toJson(),
    lineage: {
      ...{ name: 'sample', run: RUN, base: sha256(bytesOf(PARAMS)), rounds: 3, licence: 'Apache-2.0' },
      members: [{ id: CHARTER.creator, credits: 300 }],
      data: [{ licence: 'MIT', documents: 12, bytes: 3456 }],
    },
  });
}
