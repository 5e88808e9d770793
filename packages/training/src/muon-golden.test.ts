/** The arbiter's bits with Muon: five steps on the `exact` engine must give the same state everywhere, for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, hashOf } from '@folkmoot/core';
import {
  initialParameters,
  type ModelConfig,
  MUON,
  type MuonRules,
  momentSizes,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';
import type { EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { zeroMoments } from './artifact.ts';
import { LocalRound } from './local-round.ts';

/** Changing this is a decision, as in `packages/model/src/exact-golden.test.ts`. */
const GOLDEN: Hash = 'a8b78af2c48f46297012bf881828bea500fc646cc5c0c008543fa835653efe1d';

const CONFIG: ModelConfig = {
  ...{ vocab: 300, hidden: 48, layers: 2, heads: 4, kvHeads: 2, feedForward: 80, context: 24 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
const ROWS = 3;
/** With everything that a charter may ask for. */
const RULES: MuonRules = {
  ...MUON,
  ...{ learningRate: '0.01', warmupSteps: 1, joinerWarmupSteps: 2, decayEmbeddings: false, zLoss: '0.0001' },
  schedule: { kind: 'cosine', steps: 8, finalRate: '0.1' },
};

interface Trained {
  readonly digest: Hash;
  /** Before each step. */
  readonly losses: readonly number[];
}

for (const threads of [1, 2])
  test(`exact: five steps give the frozen state with ${threads} thread(s)`, async () => {
    const { digest, losses } = await trained('exact', threads);
    assert.ok(losses.at(-1)! < losses[0]! - 0.1, `the loss falls: ${losses}`);
    assert.equal(digest, GOLDEN);
  });

test('native follows exact closely, with the same bits for one and two threads', async () => {
  const exact = await trained('exact', 2);
  const native = await trained('native', 1);
  for (const [step, loss] of native.losses.entries())
    assert.ok(Math.abs(loss - exact.losses[step]!) < 1e-4, `step ${step}: ${loss} and ${exact.losses[step]}`);
  assert.equal((await trained('native', 2)).digest, native.digest);
});

async function trained(kind: EngineKind, threads: number): Promise<Trained> {
  const engine = await createEngine(kind, { threads });
  const layout = parameterLayout(CONFIG);
  const train = trainProgram(CONFIG, ROWS, { zLoss: RULES.zLoss });
  const local = await LocalRound.create({ engine, train, layout, optimizer: RULES });
  await local.start(initialParameters(CONFIG, 'golden'), zeroMoments(momentSizes(RULES, layout)));
  const batches = Array.from({ length: 5 }, (_, step) => batch(step));
  const outcome = await local.runSegment({ batches, globalStep: 0, deviceStep: 0 });
  await engine.close();
  assert.ok(outcome.outcome === 'trained');
  return { digest: hashOf('golden', outcome.state.params, outcome.state.moments), losses: outcome.losses };
}

/** Three rows of a pattern that five steps can begin to learn. */
function batch(step: number): { tokens: Int32Array; targets: Int32Array } {
  const text = Array.from({ length: ROWS * CONFIG.context + 1 }, (_, i) => (i * i + step) % 17);
  return { tokens: Int32Array.from(text.slice(0, -1)), targets: Int32Array.from(text.slice(1)) };
}
