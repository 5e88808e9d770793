/** How `native` asks ONNX Runtime for a session: the same for training and for measuring. */
import type { InferenceSession } from 'onnxruntime-node';
import { OPERATOR_BY_OPERATOR } from './host.ts';

/** Options of a session on the processor with `threads` threads for each operator. */
export function nativeOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: OPERATOR_BY_OPERATOR,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // A training step needs 630 MB instead of 1,040 MB (4.46M parameters) and takes as long.
    enableMemPattern: false,
    // Idle threads that spin take the processor from other members on this machine: two at once were 1.7 times slower.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    // Failures are thrown already; ONNX Runtime would print them too.
    logSeverityLevel: 4,
  };
}
