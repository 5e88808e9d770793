/** `node twenty-steps.node.ts OPTIMIZER THREADS`: prints the outcome as JSON. For every Node that runs TypeScript. */
import { createEngine } from '@folkmoot/tensor/node';
import { type OptimizerKind, twentySteps } from './twenty-steps.ts';

const [, , optimizer, threads] = process.argv;
const outcome = await twentySteps(
  await createEngine('exact', { threads: Number(threads) }),
  optimizer as OptimizerKind,
);
console.log(JSON.stringify(outcome));
