/** What the tests of the `exact` engine call in a browser. */
import { createEngine } from '@folkmoot/tensor/web';
import { type OptimizerKind, type Outcome, twentySteps } from './twenty-steps.ts';

/** `threads`: at most those that the page may have. */
export async function train(threads: number, optimizer: OptimizerKind = 'adamw'): Promise<Outcome> {
  return twentySteps(await createEngine('exact', { threads }), optimizer);
}
