import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentCollector } from './documents.ts';
import { describeSummary } from './summary.ts';

test('a summary says what was read, and what was not and why', () => {
  const collector = new DocumentCollector(3000);
  collector.add('a.md', 'a'.repeat(1024), 'MIT');
  collector.add('b.md', 'b'.repeat(512), 'unknown');
  collector.add('c.md', 'b'.repeat(512), 'MIT');
  collector.add('d.md', ' \n', 'MIT');
  collector.add('e.md', 'e'.repeat(3000), 'MIT');
  collector.add('f.md', 'small, but after the limit', 'MIT');
  collector.skip('binary', 'x.bin');
  collector.skip('binary', 'y.bin');
  assert.deepEqual(describeSummary(collector.summary()), [
    'Read 2 documents, 1.5 KiB.',
    'Licences: MIT 1.0 KiB, unknown 512 B.',
    'Skipped 2 (not UTF-8 text): x.bin, …',
    'Skipped 1 (empty): d.md',
    'Skipped 1 (exact duplicate): c.md',
    'Skipped 2 (beyond the size limit): e.md, …',
  ]);
  assert.ok(collector.full);
});

test('a lone surrogate becomes the replacement character, and an odd licence unknown', () => {
  const collector = new DocumentCollector(100);
  collector.add('a', 'x\ud800y', 'MIT\u001b[2J');
  assert.equal(collector.documents[0]!.text, 'x\uFFFDy');
  assert.equal(collector.documents[0]!.licence, 'unknown');
});
