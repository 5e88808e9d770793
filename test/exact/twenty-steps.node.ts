/**
 * `node test/exact/twenty-steps.node.ts OPTIMIZER THREADS` prints the outcome as JSON, on every Node that runs TypeScript.
 * `node test/exact/twenty-steps.node.ts --freeze` makes what comes out here what all hosts must agree on.
 */
import { writeFileSync } from 'node:fs';
import { createEngine } from '@folkmoot/tensor/node';
import { type OptimizerKind, type Outcome, twentySteps } from './twenty-steps.ts';

const [optimizer, threads] = process.argv.slice(2);
if (optimizer === '--freeze') await freeze();
else console.log(JSON.stringify(await outcome(optimizer as OptimizerKind, Number(threads))));

async function outcome(optimizer: OptimizerKind, threads: number): Promise<Outcome> {
  return twentySteps(await createEngine('exact', { threads }), optimizer);
}

async function freeze(): Promise<void> {
  const [adamw, muon] = [await outcome('adamw', 1), await outcome('muon', 1)];
  const golden = { engine: adamw.engine, adamw: adamw.digest, muon: muon.digest };
  writeFileSync(new URL('./golden.json', import.meta.url), `${JSON.stringify(golden, null, 2)}\n`);
}
