import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentCollector } from './documents.ts';
import { prepareDocuments } from './prepare.ts';
import { describeSummary } from './summary.ts';

const essay = 'People who had never met agreed to teach one machine together, and none of them trusted the others. ';

function read() {
  const collector = new DocumentCollector(1e6);
  collector.add('a.md', essay, 'MIT');
  collector.add('b.md', `${essay}\n`, 'CC0-1.0');
  collector.add('c.md', 'Hi.', 'MIT');
  collector.add('d.md', '', 'MIT');
  collector.add('e.md', 'Another essay, which has nothing in common with the first but its author.', 'MIT');
  return { documents: collector.documents, summary: collector.summary() };
}

test('what is left out is counted by reason, in the summary and for the manifest', () => {
  const { documents, summary } = read();
  const prepared = prepareDocuments(documents, summary);
  assert.deepEqual(
    prepared.documents.map(({ name }) => name),
    ['a.md', 'e.md'],
  );
  assert.deepEqual(prepared.leftOut, [
    { rule: 'quality-1', documents: 1, bytes: 3 },
    { rule: 'near-duplicates-1', documents: 1, bytes: 101 },
  ]);
  assert.deepEqual(describeSummary(prepared.summary), [
    'Read 2 documents, 173 B.',
    'Licences: MIT 173 B.',
    'Skipped 1 (empty): d.md',
    'Skipped 1 (too short): c.md',
    'Skipped 1 (near-duplicate of an earlier one): b.md',
  ]);
  assert.equal(summary.documents, 4, 'what was read stays as it was');
});

test('each rule can be switched off, and is then not in the manifest', () => {
  const { documents, summary } = read();
  const names = (rules: object) => prepareDocuments(documents, summary, rules).documents.map(({ name }) => name);
  assert.deepEqual(names({ quality: false }), ['a.md', 'c.md', 'e.md']);
  assert.deepEqual(names({ nearDuplicates: false }), ['a.md', 'b.md', 'e.md']);
  const untouched = prepareDocuments(documents, summary, { quality: false, nearDuplicates: false });
  assert.deepEqual([untouched.documents, untouched.leftOut], [documents, []]);
});

test('nothing left is an error that names the switch', () => {
  const collector = new DocumentCollector(100);
  collector.add('a.md', 'Hi.', 'MIT');
  assert.throws(() => prepareDocuments(collector.documents, collector.summary()), {
    code: 'data-empty',
    message: /1 too short/,
    help: /--no-quality-filters/,
  });
});
