import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContentRange, parseRange } from './byte-range.ts';

test('a range is read as the standard says, and everything else is the whole', () => {
  const cases: [string | undefined, ReturnType<typeof parseRange>][] = [
    ['bytes=0-', { first: 0, last: 99 }],
    ['bytes=10-19', { first: 10, last: 19 }],
    ['bytes=10-1000', { first: 10, last: 99 }],
    ['bytes=-10', { first: 90, last: 99 }],
    ['bytes=-1000', { first: 0, last: 99 }],
    ['bytes=99-', { first: 99, last: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [undefined, undefined],
    ['bytes=-', undefined],
    ['bytes=20-10', undefined],
    ['bytes=0-1,5-6', undefined],
    ['lines=0-1', undefined],
    ['bytes=1e3-', undefined],
    [`bytes=${'9'.repeat(400)}-`, undefined],
  ];
  for (const [header, range] of cases) assert.deepEqual(parseRange(header, 100), range, header);
  assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
});

test('what an answer says of itself is believed where it makes sense', () => {
  assert.deepEqual(parseContentRange('bytes 10-19/100'), { first: 10, last: 19, size: 100 });
  for (const odd of [null, '', 'bytes 10-19/*', 'bytes 19-10/100', 'bytes 0-100/100', 'bytes */100', 'bytes 1-2/3x'])
    assert.equal(parseContentRange(odd), undefined, String(odd));
});
