import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, hashOf, sha256, WorldError } from '@folkmoot/core';
import type { Fetch, Place, StateBytes } from '@folkmoot/node';
import { PRETEND_OPERATORS, PretendArbitration } from './pretend-arbitration.ts';

const { signal } = new AbortController();
const bytesOf = (text: string) => new TextEncoder().encode(text.padEnd(64));
const end = ({ start }: Place): StateBytes => ({
  params: bytesOf(sha256(start.params)),
  moments: bytesOf(sha256(start.moments)),
});
const place: Place = {
  assignment: { round: 1, seed: hashOf('seed'), seat: 0, skip: 0, carriedSteps: 0 },
  segment: 1,
  start: { params: bytesOf('params'), moments: bytesOf('moments') },
};

test('every operator of honest pretended work follows, and no other result does', async () => {
  const arbitration = new PretendArbitration(3, end);
  const shelf = new Map<Hash, Uint8Array>();
  const keep = async (bytes: Uint8Array) => void shelf.set(sha256(bytes), bytes);
  const fetch: Fetch = async (id) => {
    const found = shelf.get(id);
    if (!found) throw new WorldError('artifact-unavailable', 'not here');
    return found;
  };
  const steps = await arbitration.steps(place, signal, keep);
  assert.equal(await arbitration.wrongStep(place, steps, fetch, signal), undefined);
  for (let step = 0; step < 3; step++) {
    const operators = await arbitration.operators(place, step, signal, keep);
    assert.equal(operators.at(-1), steps[step]);
    assert.deepEqual(await arbitration.operators(place, step, signal, keep, { steps, fetch }), operators);
    for (let operator = 0; operator < PRETEND_OPERATORS; operator++) {
      assert.ok(await arbitration.follows(place, { step, operator, steps, operators }, fetch, signal), `${operator}`);
      const other = operators.map((leaf, i) => (i === operator ? hashOf('other') : leaf));
      const claim = { step, operator, steps, operators: other };
      assert.ok(!(await arbitration.follows(place, claim, fetch, signal)), `${operator} of another result`);
    }
    const lie = steps.map((leaf, i) => (i === step ? steps[(step + 1) % 3]! : leaf));
    assert.equal(await arbitration.wrongStep(place, lie, fetch, signal), step);
  }
});
