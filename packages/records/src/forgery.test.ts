import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@folkmoot/core';
import fc from 'fast-check';
import {
  charterBytes,
  checkOpening,
  entryBytes,
  MAX_RECORD_BYTES,
  openLink,
  parseCharter,
  parseEntry,
  parseRecord,
  type RecordBody,
  recordBytes,
  signEntry,
  signRecord,
  traceRoot,
  verifyEntry,
  verifyRecord,
} from './index.ts';
import { at, type Json, othersFor, pathsOf, replaced } from './json.test-support.ts';
import { BODIES, CHARTER, id, KEY, OTHER, RUN, TRACE } from './samples.test-support.ts';

const RECORDS = Object.values(BODIES).map((body: RecordBody) => signRecord(body, KEY));
const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Json;
const ENTRY = signEntry({ index: 5, prev: id('prev'), atMs: 1000, term: 2 }, RECORDS[3]!, KEY);

test('every record comes back as it went', () => {
  for (const record of RECORDS) assert.deepEqual(parseRecord(recordBytes(record)), { ok: true, value: record });
  assert.deepEqual(parseEntry(entryBytes(ENTRY), KEY.id), { ok: true, value: ENTRY });
});

test('I9: any field forged, removed or added, and a record is none', () => {
  const one = fc.constantFrom(...RECORDS.map((record) => parsed(recordBytes(record))));
  fc.assert(
    fc.property(forgeryOf(one), ({ forged, what }) => {
      assert.equal(verifyRecord(forged).ok, false, what);
    }),
    { numRuns: 3000 },
  );
});

test('I9: every single leaf of every record is covered', () => {
  for (const record of RECORDS) {
    const whole = parsed(recordBytes(record));
    for (const path of pathsOf(whole))
      for (const other of othersFor(at(whole, path)))
        assert.equal(verifyRecord(replaced(whole, path, other)).ok, false, `${path.join('.')} → ${other}`);
  }
});

test('I9: every single leaf of an entry is covered, the record’s signature too', () => {
  const whole = parsed(entryBytes(ENTRY));
  for (const path of pathsOf(whole))
    for (const other of othersFor(at(whole, path)))
      assert.equal(verifyEntry(replaced(whole, path, other), KEY.id).ok, false, path.join('.'));
  assert.equal(verifyEntry(whole, OTHER.id).ok, false, 'another sequencer');
});

test('a record is signed by the device that it names, and by nobody else', () => {
  assert.throws(() => signRecord(BODIES.tick, OTHER), RangeError);
  const byOther = signRecord({ ...BODIES.tick, device: OTHER.id }, OTHER);
  const claimed = { body: BODIES.tick, signature: byOther.signature };
  assert.deepEqual(verifyRecord(claimed), { ok: false, reason: 'the signature is not the device’s' });
});

test('bytes that are no record are refused with a reason, never with an exception', () => {
  const good = recordBytes(RECORDS[3]!);
  const cases = [
    new Uint8Array(0),
    new Uint8Array(MAX_RECORD_BYTES + 1).fill(0x20),
    Uint8Array.of(0xc3, 0x28),
    utf8('\ud800'),
    utf8('['.repeat(30_000)),
    utf8('['.repeat(30_000) + ']'.repeat(30_000)),
    utf8(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
    utf8('"'.padEnd(1000, 'x')),
    utf8('1e999'),
  ];
  for (let cut = 0; cut < good.length; cut += 37) cases.push(good.subarray(0, cut));
  for (const bytes of cases) {
    for (const parse of [
      parseRecord,
      (b: Uint8Array) => parseEntry(b, KEY.id),
      (b: Uint8Array) => parseCharter(b, RUN),
    ]) {
      const result = parse(bytes);
      assert.ok(!result.ok && result.reason.length > 0);
    }
  }
});

test('what JSON can say and canonical JSON cannot is refused with a reason', () => {
  const text = (value: Json) => JSON.stringify(value);
  const verdict = text(parsed(recordBytes(RECORDS.find(({ body }) => body.kind === 'verdict')!)));
  for (const odd of [
    text(parsed(recordBytes(RECORDS[0]!))).replace('"round":3', '"round":-0'),
    verdict.replace('"tensor":"layers', '"tensor":"\\ud800'),
  ])
    assert.deepEqual(parseRecord(utf8(odd)), { ok: false, reason: 'the record has no canonical form' });
  const entry = text(parsed(entryBytes(ENTRY))).replace('"index":5', '"index":-0');
  assert.deepEqual(parseEntry(utf8(entry), KEY.id), { ok: false, reason: 'the entry has no canonical form' });
});

test('arbitrary JSON is never a record and never throws', () => {
  fc.assert(
    fc.property(fc.json(), (text) => !parseRecord(utf8(text)).ok),
    { numRuns: 500 },
  );
});

test('lists and texts are bounded before they are looked at', () => {
  const attest = { ...BODIES.attest, updates: Array.from({ length: 1025 }, () => id('u')) };
  const open = { ...BODIES.open, start: { ...BODIES.open.start, proof: Array.from({ length: 18 }, () => null) } };
  const fault = { ...BODIES.fault, first: 'x'.repeat(16_385) };
  const names = ['', 'x'.repeat(33), 'a\nb', '\u202e'].map((name) => ({ ...BODIES.join, name }));
  for (const body of [attest, open, fault, ...names])
    assert.match(reasonOf(verifyRecord({ body, signature: '00'.repeat(64) })), /^not a record: /);
});

test('a charter with one field changed is another run’s; one that breaks a rule is refused', () => {
  const whole = parsed(charterBytes(CHARTER));
  for (const path of pathsOf(whole))
    for (const other of othersFor(at(whole, path)))
      assert.equal(parseCharter(utf8(JSON.stringify(replaced(whole, path, other))), RUN).ok, false, path.join('.'));
});

test('an opening of one link opens no other, at no other place', () => {
  const root = traceRoot(TRACE);
  for (let index = 0; index < TRACE.links.length; index++) {
    const opening = openLink(TRACE, index);
    for (let other = 0; other < TRACE.links.length; other++)
      assert.equal(checkOpening(root, TRACE.links.length, opening, TRACE.links[other]!), other === index);
    for (const forged of [
      { ...opening, index: (index + 1) % TRACE.links.length },
      { ...opening, salt: id('another') },
      { ...opening, proof: opening.proof.slice(1) },
      { ...opening, proof: [...opening.proof, null] },
    ])
      assert.equal(checkOpening(root, TRACE.links.length, forged, TRACE.links[index]!), false);
    assert.equal(checkOpening(root, TRACE.links.length + 1, opening, TRACE.links[index]!), false);
  }
});

const reasonOf = (result: { ok: boolean; reason?: string }) => result.reason ?? 'accepted';

/** A value of `arbitrary` with one thing done to it. */
function forgeryOf(arbitrary: fc.Arbitrary<Json>): fc.Arbitrary<{ forged: Json; what: string }> {
  return arbitrary.chain((whole) => {
    const paths = pathsOf(whole);
    const path = fc.constantFrom(...paths);
    const replace = fc.tuple(path, fc.jsonValue() as fc.Arbitrary<Json>).map(([at_, value]) => ({
      forged: JSON.stringify(at(whole, at_)) === JSON.stringify(value) ? null : replaced(whole, at_, value),
      what: `${at_.join('.')} → ${JSON.stringify(value)}`,
    }));
    const remove = path.map((at_) => ({ forged: replaced(whole, at_, undefined), what: `no ${at_.join('.')}` }));
    const inside = fc.constantFrom<string[]>([], ['body']);
    const add = fc.tuple(inside, fc.string()).map(([where, key]) => ({
      forged: replaced(whole, [...where, `x${key}`], 1),
      what: `${where.join('.')} with x${key}`,
    }));
    return fc.oneof(replace, remove, add);
  });
}
