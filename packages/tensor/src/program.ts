/** A program: tensor work as an ONNX file, named by the hash of its bytes. */
import type { Hash } from '@folkmoot/core';

export type DType = 'float32' | 'int32';

/** A named input or output: static shape, row-major. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface Program {
  /** sha-256 of `bytes`. */
  readonly id: Hash;
  /** The ONNX model. */
  readonly bytes: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}
