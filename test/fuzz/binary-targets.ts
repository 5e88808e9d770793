/** Readers of bytes from strangers: updates, states, safetensors, programs. */
import { below, bytesOf, concat, type Random, SeededRandom } from '@folkmoot/core';
import { float32Of, MUON, momentSizes, readSafetensorsHeader, trainProgram } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { summarizeProgram } from '@folkmoot/tensor';
import {
  decodeUpdate,
  encodeUpdate,
  readError,
  readMoments,
  readParams,
  writeMoments,
  zeroError,
  zeroMoments,
} from '@folkmoot/training';
import { mutateBytes, pick } from './mutation.ts';
import { exportedFolder, LAYOUT, MODEL, PARAMS } from './samples.ts';
import type { Target } from './target.ts';

const CODECS: readonly CodecRules[] = [
  { kind: 'dense', block: 4096 },
  { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' },
];
const PARAM_BYTES = bytesOf(PARAMS);
const MOMENTS = momentSizes(MUON, LAYOUT);
const MOMENT_BYTES = writeMoments(zeroMoments(MOMENTS));
const ERROR_BYTES = bytesOf(zeroError(LAYOUT.elements));
const SAFETENSORS = exportedFolder().get('model.safetensors')!;
const PROGRAM = trainProgram(MODEL, 2).bytes;

export const binaryTargets: readonly Target[] = [
  ...CODECS.map((rules): Target => {
    const valid = validUpdate(rules);
    return {
      name: `update-${rules.kind}`,
      make: (random) => mutated(random, valid),
      read: (input) => decodeUpdate(rules, LAYOUT, input).ok,
    };
  }),
  {
    name: 'parameters',
    make: (random) => mutated(random, PARAM_BYTES),
    read: (input) => readParams(input, LAYOUT.elements).ok,
  },
  {
    name: 'moments',
    make: (random) => mutated(random, MOMENT_BYTES),
    read: (input) => readMoments(input, MOMENTS).ok,
  },
  {
    name: 'error-memory',
    make: (random) => mutated(random, ERROR_BYTES),
    read: (input) => readError(input, LAYOUT.elements).ok,
  },
  {
    name: 'safetensors',
    make: (random) => headChanged(random, SAFETENSORS),
    read: (input) => {
      const header = readSafetensorsHeader(input, input.length);
      for (const entry of header.entries) float32Of(input, header, entry);
      return true;
    },
  },
  {
    name: 'program',
    make: (random) => mutateBytes(random, PROGRAM, [PROGRAM]),
    read: (input) => summarizeProgram(input).nodes >= 0,
  },
];

function validUpdate(rules: CodecRules): Uint8Array {
  const random = new SeededRandom('update');
  const end = PARAMS.map((value) => value + (below(random, 2001) - 1000) / 1e6);
  const encoded = encodeUpdate(rules, LAYOUT, { base: PARAMS, end, errorIn: zeroError(LAYOUT.elements) });
  if (!encoded.ok) throw new Error(encoded.reason);
  return encoded.bytes;
}

/** Mostly of the right length, without which nothing else is looked at. */
function mutated(random: Random, valid: Uint8Array): Uint8Array {
  const changed = mutateBytes(random, valid, [valid]);
  if (below(random, 8) === 0) return changed;
  const sized = valid.slice();
  sized.set(changed.subarray(0, valid.length));
  return sized;
}

/** The length and the JSON in front are what a reader believes; the numbers behind them it copies. */
function headChanged(random: Random, file: Uint8Array): Uint8Array {
  const end = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const head = mutateBytes(random, file.subarray(0, end), [file.subarray(0, end)]);
  const json = head.length - 8;
  if (json > 0 && below(random, 2) === 0)
    new DataView(head.buffer, head.byteOffset).setBigUint64(0, BigInt(json), true);
  return concat([head, file.subarray(end, pick(random, [end, end + 64, file.length]))]);
}
