/** A segment as a folder of files that anybody can check without our code: see `examples/check_segment.py`. */
import { bytesOf, type Hash, sha256, utf8 } from '@folkmoot/core';
import {
  CHUNK,
  decayElements,
  learningRateAt,
  momentSizes,
  nextPowers,
  type ParameterLayout,
  powersAfter,
} from '@folkmoot/model';
import type { OptimizerRules } from '@folkmoot/records';
import type { Program } from '@folkmoot/tensor';
import type { Segment } from '@folkmoot/training';

/** A state as two artifacts, which need not be well-formed: a liar's claim is exported too. */
export interface StateFiles {
  readonly params: Uint8Array;
  readonly moments: Uint8Array;
}

export interface SegmentClaim {
  /** Whose work it is; for people. */
  readonly about: { readonly run: Hash; readonly round: number; readonly segment: number; readonly member: string };
  readonly layout: ParameterLayout;
  readonly optimizer: OptimizerRules;
  readonly tolerancePpm: number;
  readonly programs: {
    readonly train: Program;
    readonly norm: Program;
    readonly optimizer: Program;
    readonly muon?: Program;
    readonly accumulate?: Program;
  };
  /** Each batch is `rows` rows; a row's targets are its tokens, one later. */
  readonly segment: Segment;
  readonly rows: number;
  /** Of a micro-batch; default all. */
  readonly microRows?: number;
  /** What the member opened. */
  readonly start: StateFiles;
  readonly end: StateFiles;
}

/**
 * The files by name. `segment.json` tells what they are; the example's docstring defines every field.
 *
 * The ids in it are those of the log, so a checker needs the log (or `folkmoot why`) to know that they were claimed.
 */
export function segmentFiles(claim: SegmentClaim): Map<string, Uint8Array> {
  const { about, layout, optimizer, tolerancePpm, programs, segment, rows, microRows = rows, start, end } = claim;
  const artifacts = new Map([
    ['train.onnx', programs.train.bytes],
    ['norm.onnx', programs.norm.bytes],
    ['optimizer.onnx', programs.optimizer.bytes],
    ['start.params', start.params],
    ['start.moments', start.moments],
    ['end.params', end.params],
    ['end.moments', end.moments],
    ['tokens', bytesOf(tokensOf(segment, rows))],
  ]);
  if (programs.muon) artifacts.set('muon.onnx', programs.muon.bytes);
  if (programs.accumulate) artifacts.set('accumulate.onnx', programs.accumulate.bytes);
  const description = {
    ...about,
    artifacts: Object.fromEntries([...artifacts].map(([name, bytes]) => [name, sha256(bytes)])),
    rows,
    microRows,
    context: segment.batches[0]!.tokens.length / rows,
    tensors: layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    decayElements: decayElements(optimizer, layout),
    secondMoments: momentSizes(optimizer, layout).second,
    blocks: layout.blocks,
    chunk: CHUNK,
    optimizer,
    steps: stepsOf(segment, optimizer),
    tolerancePpm,
  };
  return artifacts.set('segment.json', utf8(`${JSON.stringify(description, null, 2)}\n`));
}

/** `[S, B, T+1]`: each row's tokens and, after them, its last target. */
function tokensOf({ batches }: Segment, rows: number): Int32Array {
  const lines = batches.flatMap(({ tokens, targets }) => {
    const context = tokens.length / rows;
    return Array.from({ length: rows }, (_, row) => [
      ...tokens.subarray(row * context, (row + 1) * context),
      targets[(row + 1) * context - 1]!,
    ]);
  });
  return Int32Array.from(lines.flat());
}

/** JavaScript writes a double as the shortest decimal that reads back as the same double. */
function stepsOf({ batches, globalStep, deviceStep }: Segment, rules: OptimizerRules): Record<string, string>[] {
  let powers = powersAfter(rules, deviceStep);
  return batches.map((_, step) => {
    powers = nextPowers(rules, powers);
    return {
      learningRate: String(learningRateAt(rules, globalStep + step, deviceStep + step)),
      beta1Power: String(powers.first),
      beta2Power: String(powers.second),
    };
  });
}
