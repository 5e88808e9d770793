/** The heavy work of a member: training and audits share one place in memory, and a plan for memory changes no bit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bytesOf, type Hash, sha256 } from '@folkmoot/core';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { RunRules } from './presets.ts';
import type { TensorWorkOptions } from './tensor-work.ts';
import { ASSIGNMENT, TINY_RULES, workOn } from './work.test-support.ts';

let engine: Engine;
before(async () => {
  engine = await createEngine('native', { threads: 1 });
});
after(() => engine.close());

const { signal } = new AbortController();

/** The states at the segment ends of a round; `between` does something else after each. */
async function ends(
  rules: RunRules,
  options: TensorWorkOptions = {},
  between: (work: ReturnType<typeof workOn>['work'], first: Uint8Array) => Promise<unknown> = async () => {},
): Promise<Hash[]> {
  const { work, initial } = workOn(engine, rules, options);
  const params = bytesOf(initial());
  const ids: Hash[] = [];
  for await (const end of work.train(ASSIGNMENT, { params, moments: work.zeroMoments() }, signal)) {
    ids.push(sha256(end.params), sha256(end.moments));
    await between(work, params);
  }
  await work.close();
  return ids;
}

for (const optimizer of ['muon', 'adamw'] as const) {
  const rules = { ...TINY_RULES, optimizer: { ...TINY_RULES.optimizer, kind: optimizer } } as RunRules;

  test(`${optimizer}: an audit between two segments leaves the trainer where it was`, async () => {
    const alone = await ends(rules);
    assert.equal(new Set(alone).size, 6);
    const audited = await ends(rules, {}, async (work, params) => {
      const replayed = await work.replay(ASSIGNMENT, 1, { params, moments: work.zeroMoments() }, signal);
      assert.equal(sha256(replayed!.params), alone[0]);
    });
    assert.deepEqual(audited, alone);
  });
}

test('what is left of a seat has the rows and the schedule of the seat, and the device’s own steps', async () => {
  const { work, initial } = workOn(engine, TINY_RULES);
  const start = { params: bytesOf(initial()), moments: work.zeroMoments() };
  const left = { ...ASSIGNMENT, skip: 1, carriedSteps: 2 };
  const ends: Hash[] = [];
  for await (const { params } of work.train(left, start, signal)) ends.push(sha256(params));
  assert.equal(ends.length, 2);
  const endOf = async (assignment: typeof left, segment: number) =>
    sha256((await work.replay(assignment, segment, start, signal))!.params);
  assert.equal(ends[0], await endOf(left, 1), 'trained and audited alike');
  assert.equal(ends[0], await endOf({ ...left, skip: 0, carriedSteps: 0 }, 2));
  assert.notEqual(ends[0], await endOf({ ...left, skip: 0 }, 1));
  assert.notEqual(ends[0], await endOf({ ...left, carriedSteps: 0 }, 1));
  await work.close();
});

test('members that spend memory otherwise come to the same bits, with micro-batches too', async () => {
  for (const rules of [TINY_RULES, { ...TINY_RULES, microRows: 1 }]) {
    const plain = await ends(rules);
    for (const plan of ['ordered', 'recompute'] as const) assert.deepEqual(await ends(rules, { plan }), plain);
  }
});
