/** A short run of every fuzzer, and that a fuzzer finds what is there. `./folkmoot fuzz` runs them at length. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { randomBytes, WorldError } from '@folkmoot/core';
import { Coverage } from './coverage.ts';
import { Finding, fuzz, fuzzGuided, type Target, targets } from './index.ts';

const INPUTS = 400;

for (const target of targets)
  test(`${target.name}: nearly right inputs are read or refused`, async () => {
    const { inputs, taken } = await fuzz(target, 'ci', INPUTS);
    assert.equal(inputs, INPUTS);
    assert.ok(taken < INPUTS, 'some inputs are wrong');
  });

test('SECURITY.md says how many readers are fuzzed, and the results have a row of each', () => {
  const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  assert.equal(Number(/(\d+) fuzzers/.exec(page('SECURITY.md'))?.[1]), targets.length);
  const rows = [...page('docs/results/fuzz.md').matchAll(/^\| ([a-z-]+) \| [\d,]+ \|/gm)].map(([, name]) => name!);
  assert.deepEqual(rows.sort(), targets.map(({ name }) => name).sort());
});

test('an exception, a hang and an allocation are found, a refusal is none; the index makes the input again', async () => {
  const found = async (read: (input: Uint8Array) => boolean) => {
    const target: Target = { name: 'planted', make: (random) => new Uint8Array([random.uint32()]), read };
    try {
      return await fuzz(target, 'seed', 2000);
    } catch (error) {
      assert.ok(error instanceof Finding, String(error));
      await assert.rejects(fuzz(target, 'seed', error.index + 1, error.index), { index: error.index });
      return error.message;
    }
  };
  assert.match(String(await found(([byte]) => byte !== 77 || Boolean(JSON.parse('{')))), /threw SyntaxError/);
  const kept: Uint8Array[] = [];
  assert.match(
    String(await found(([byte]) => byte !== 77 || kept.push(new Uint8Array(2 ** 27)) > 0)),
    /bytes of memory for 1 /,
  );
  const refused = await found(() => {
    throw new WorldError('refused', 'No.');
  });
  assert.deepEqual([(refused as { inputs: number }).inputs, (refused as { taken: number }).taken], [2000, 0]);
});

test('guided by coverage, a fuzzer gets through doors that chance does not open', async () => {
  // Each door has code behind it: whoever passes is kept, and changed until it passes the next.
  let deepest = 0;
  const read = (input: Uint8Array) => {
    let door = 0;
    if (input[0]! % 16 === 7) {
      door = 1;
      if (input[1]! % 16 === 3) {
        door = 2;
        if (input[2]! % 16 === 11) {
          door = 3;
          if (input[3]! % 16 === 5) door = 4;
        }
      }
    }
    deepest = Math.max(deepest, door);
    return door === 4;
  };
  const target: Target = { name: 'doors', make: (random) => randomBytes(random, 4), read };
  const coverage = new Coverage(/fuzz\.test\.ts$/);
  const { corpus } = await fuzzGuided(target, 'ci', 4096, coverage);
  coverage.close();
  assert.ok(corpus >= 4 && corpus < 64, `${corpus} were kept`);
  const guided = deepest;
  deepest = 0;
  await fuzz(target, 'ci', 4096);
  assert.deepEqual([guided, deepest < 4], [4, true]);
});
