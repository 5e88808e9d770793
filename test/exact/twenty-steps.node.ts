/** `node twenty-steps.node.ts THREADS`: prints the outcome as JSON. For every Node that runs TypeScript. */
import { createEngine } from '@folkmoot/tensor/node';
import { twentySteps } from './twenty-steps.ts';

const outcome = await twentySteps(await createEngine('exact', { threads: Number(process.argv[2]) }));
console.log(JSON.stringify(outcome));
