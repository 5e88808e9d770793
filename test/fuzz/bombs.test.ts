/** Megabytes of brackets: cheap to send, and of sixty times the size where a reader parses them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, isWorldError, utf8 } from '@folkmoot/core';
import { targets } from './index.ts';

/** A manifest may have two million items. */
const BYTES = 2 ** 23;
/** More than what a record may weigh; a reader with this bound may parse whatever it gets. */
const LITTLE = 256 * 2 ** 10;

const BOMBS: readonly (readonly [string, string])[] = [
  ['nested lists', `${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}`],
  ['a flat list of lists', `[${'[],'.repeat(BYTES / 3)}[]]`],
  ['a flat list of objects', `[${'{},'.repeat(BYTES / 3)}{}]`],
  ['nested objects', `${'{"a":'.repeat(BYTES / 6)}0${'}'.repeat(BYTES / 6)}`],
];

/** The reducer is given what was read before; frames hold no JSON. */
const READERS = targets.filter(({ name }) => name !== 'reducer' && name !== 'frames');

for (const [what, text] of BOMBS)
  test(`${what}: no reader parses more of them than its subject can have`, async (t) => {
    const parse = t.mock.method(JSON, 'parse');
    for (const target of READERS) {
      for (const input of [utf8(text), asHeader(text), utf8(`folkmoot1-${btoa(text)}`)]) {
        const taken = await Promise.resolve()
          .then(() => target.read(input))
          .catch((error) => assert.ok(isWorldError(error), `${target.name}: ${error}`));
        assert.ok(!taken, target.name);
      }
      const texts = parse.mock.calls.map((call) => String(call.arguments[0]));
      // Anything else is refused at its first letter.
      const longest = Math.max(0, ...texts.filter((text) => /^[[{]/.test(text)).map((text) => text.length));
      assert.ok(longest <= LITTLE, `${target.name} parsed ${longest} letters`);
      parse.mock.resetCalls();
    }
  });

/** As the header of a safetensors file. */
function asHeader(text: string): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concat([length, utf8(text)]);
}
