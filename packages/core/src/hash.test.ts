import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, utf8 } from './bytes.ts';
import { hashLink, hashOf, isHash, sha256 } from './hash.ts';

test('a hash of parts is frozen, and its bytes are the lengths and the texts', () => {
  assert.equal(
    hashOf('purpose', 'a', 1, 'ab'.repeat(32)),
    '9fef59f6594c224242f159b5f8c784ff6fcb9fd2a807ae2433f77ecee48d5b50',
  );
  const part = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.nat());
  fc.assert(
    fc.property(fc.string(), fc.array(part), (domain, parts) => {
      assert.equal(hashOf(domain, ...parts), slow(domain, ...parts));
    }),
  );
  for (const long of ['x'.repeat(65_535), 'x'.repeat(65_536), 'x'.repeat(70_000), `${'x'.repeat(70_000)}ü`])
    assert.equal(hashOf('long', long, 'end'), slow('long', long, 'end'));
});

test('no two lists of parts are one', () => {
  const lists = [['a', 'b'], ['ab'], ['a', 'b', ''], ['', 'a', 'b'], ['b', 'a'], []];
  assert.equal(new Set(lists.map(([...parts]) => hashOf('x', ...parts))).size, lists.length);
  assert.notEqual(hashOf('x', 'y'), hashOf('xy'));
});

test('a name is 64 lower-case digits; a link is the hash of its bytes', () => {
  assert.equal(sha256(utf8('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(sha256(utf8('a'), utf8('bc')), sha256(utf8('abc')));
  assert.equal(hashLink('00'.repeat(32)), sha256(new Uint8Array(32)));
  for (const value of ['', 'A'.repeat(64), '0'.repeat(63), '0'.repeat(65), 7, null]) assert.equal(isHash(value), false);
});

function slow(domain: string, ...parts: (string | number)[]): string {
  return sha256(
    concat(
      [domain, ...parts].flatMap((part) => {
        const text = utf8(String(part));
        const length = new Uint8Array(4);
        new DataView(length.buffer).setUint32(0, text.length);
        return [length, text];
      }),
    ),
  );
}
