import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorldError } from '@folkmoot/core';
import { parseJsonl } from './jsonl.ts';

test('lines are documents; blank ones are passed over, bad ones are named', () => {
  const content = '{"text":"one"}\n\nnot json\r\n{"text":"two","license":"MIT"}\r\n{"text":"three","text2":1}';
  assert.deepEqual(parseJsonl('a.jsonl', content, 'text'), {
    lines: [
      { line: 1, text: 'one', licence: undefined },
      { line: 4, text: 'two', licence: 'MIT' },
      { line: 5, text: 'three', licence: undefined },
    ],
    bad: [3],
  });
});

test('a line without text in the field is bad', () => {
  const bad = ['[]', 'null', '7', '"text"', '{"text":7}', '{"body":"x"}', '{}', '{"text":"cut'];
  const good = bad.map(() => '{"text":"x"}');
  assert.deepEqual(parseJsonl('a', [...good, ...bad].join('\n'), 'text').bad.length, bad.length);
  // A name that every object inherits is no field.
  assert.deepEqual(parseJsonl('a', '{"a":1}\n{"toString":"x"}', 'toString').bad, [1]);
});

test('more than half bad: refused with file, line and next step', () => {
  assert.throws(
    () => parseJsonl('notes/a.jsonl', '{"text":"x"}\n{"body":"x"}\n{"body":"y"}', 'text'),
    (error: WorldError) => {
      assert.equal(error.code, 'jsonl-malformed');
      assert.deepEqual(error.facts, { file: 'notes/a.jsonl', line: 2, badLines: 2, lines: 3 });
      assert.match(error.message, /notes\/a\.jsonl:2/);
      assert.match(error.help, /--text-column/);
      return true;
    },
  );
  assert.equal(parseJsonl('a', '{"text":"x"}\n{', 'text').bad.length, 1);
});
