/** A short run of every fuzzer, and that a fuzzer finds what is there. `./folkmoot fuzz` runs them at length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorldError } from '@folkmoot/core';
import { Finding, fuzz, type Target, targets } from './index.ts';

const INPUTS = 400;

for (const target of targets)
  test(`${target.name}: nearly right inputs are read or refused`, () => {
    const { inputs, taken } = fuzz(target, 'ci', INPUTS);
    assert.equal(inputs, INPUTS);
    assert.ok(taken < INPUTS, 'some inputs are wrong');
  });

test('an exception, a hang and an allocation are found, a refusal is none; the index makes the input again', () => {
  const found = (read: (input: Uint8Array) => boolean) => {
    const target: Target = { name: 'planted', make: (random) => new Uint8Array([random.uint32()]), read };
    try {
      return fuzz(target, 'seed', 2000);
    } catch (error) {
      assert.ok(error instanceof Finding, String(error));
      assert.throws(() => fuzz(target, 'seed', error.index + 1, error.index), { index: error.index });
      return error.message;
    }
  };
  assert.match(String(found(([byte]) => byte !== 77 || Boolean(JSON.parse('{')))), /threw SyntaxError/);
  const kept: Uint8Array[] = [];
  assert.match(
    String(found(([byte]) => byte !== 77 || kept.push(new Uint8Array(2 ** 27)) > 0)),
    /bytes of memory for 1 /,
  );
  const refused = found(() => {
    throw new WorldError('refused', 'No.');
  });
  assert.deepEqual([(refused as { inputs: number }).inputs, (refused as { taken: number }).taken], [2000, 0]);
});
