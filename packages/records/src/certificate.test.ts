import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceKey, deviceKey } from '@folkmoot/core';
import {
  type Certificate,
  certificateOf,
  type Header,
  headerId,
  MAX_ELECTORS,
  quorumOf,
  type RecordBody,
  signRecord,
  type VerifiedRecord,
  verifyCertificate,
} from './index.ts';
import { at, type Json, othersFor, pathsOf, replaced } from './json.test-support.ts';
import { HEADER, id } from './samples.test-support.ts';

const KEYS = Array.from({ length: MAX_ELECTORS + 1 }, (_, i) => deviceKey(new Uint8Array(32).fill(40 + i)));
const electorsOf = (count: number) => KEYS.slice(0, count).map((key) => key.id);
const KINDS = ['header', 'seal'] as const;
const TERM = 4;

test('a quorum is the least number above two thirds; of three, two', () => {
  for (let electors = 1; electors <= MAX_ELECTORS; electors++) {
    let least = 0;
    while (3 * least <= 2 * electors) least++;
    assert.equal(quorumOf(electors), electors === 3 ? 2 : least, `of ${electors}`);
  }
});

for (const kind of KINDS) {
  test(`${kind}: a quorum of any electorate is enough, and one less is not`, () => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 15, MAX_ELECTORS]) {
      const quorum = quorumOf(count);
      const full = signed(kind, KEYS.slice(0, quorum));
      assert.deepEqual(verifyCertificate(full, electorsOf(count)), { ok: true, value: full });
      const less = { ...full, signers: full.signers.slice(1) };
      assert.equal(reasonOf(less, electorsOf(count)), 'too few have signed', `${quorum - 1} of ${count}`);
    }
  });

  test(`${kind}: any field forged, and it is none`, () => {
    const whole = signed(kind, KEYS.slice(0, 3)) as unknown as Json;
    for (const path of pathsOf(whole))
      for (const other of [...othersFor(at(whole, path)), undefined]) {
        const forged = replaced(whole, path, other);
        assert.equal(verifyCertificate(forged, electorsOf(4)).ok, false, `${path.join('.')} → ${other}`);
      }
  });

  test(`${kind}: one signer counts once, and nobody who is no elector`, () => {
    const electors = electorsOf(4);
    const twice = signed(kind, KEYS.slice(0, 2));
    const [first] = twice.signers;
    assert.equal(reasonOf({ ...twice, signers: [...twice.signers, first!] }, electors), 'a device has signed twice');
    // Another signature of the same device, which is as good as the first, is no second voice.
    const again = signed(kind, [KEYS[0]!], { seq: 99 }).signers[0]!;
    assert.equal(reasonOf({ ...twice, signers: [...twice.signers, again] }, electors), 'a device has signed twice');
    assert.equal(reasonOf(signed(kind, [KEYS[0]!, KEYS[1]!, KEYS[7]!]), electors), 'a signer is no elector');
    assert.equal(reasonOf(signed(kind, []), []), 'too few have signed');
  });

  test(`${kind}: signatures of another term, round or run are not these`, () => {
    for (const [what, other] of [
      ['term', signed(kind, KEYS.slice(0, 3), { term: TERM + 1 })],
      ['round', signed(kind, KEYS.slice(0, 3), {}, { ...HEADER, round: 4 })],
      ['run', signed(kind, KEYS.slice(0, 3), {}, { ...HEADER, run: id('another run') })],
      ['header before it', signed(kind, KEYS.slice(0, 3), {}, { ...HEADER, prev: id('another header') })],
      ['base', signed(kind, KEYS.slice(0, 3), {}, { ...HEADER, nextBase: id('another base') })],
    ] as const) {
      const mixed = { ...signed(kind, KEYS.slice(0, 3)), signers: other.signers };
      assert.equal(reasonOf(mixed, electorsOf(4)), 'a signature is not its device’s', what);
      const one = signed(kind, KEYS.slice(0, 3));
      const single = { ...one, signers: [...one.signers.slice(0, 2), other.signers[2]!] };
      assert.equal(reasonOf(single, electorsOf(4)), 'a signature is not its device’s', `one of another ${what}`);
    }
  });
}

test('what was signed as the end of a round is no seal, nor the other way round', () => {
  const [header, seal] = KINDS.map((kind) => signed(kind, KEYS.slice(0, 3))) as [Certificate, Certificate];
  assert.equal(verifyCertificate({ ...header, kind: 'seal' }, electorsOf(4)).ok, false);
  assert.equal(verifyCertificate({ ...seal, kind: 'header' }, electorsOf(4)).ok, false);
  const shown = { ...seal, kind: 'header', signers: seal.signers.map((one) => ({ ...one, preimage: id('shown') })) };
  assert.equal(verifyCertificate(shown, electorsOf(4)).ok, false);
});

test('more signers than there can be electors are not looked at', () => {
  const many = signed('seal', KEYS);
  assert.match(reasonOf(many, electorsOf(KEYS.length)), /^not a certificate: signers/);
});

function reasonOf(certificate: unknown, electors: readonly string[]): string {
  const checked = verifyCertificate(certificate, electors);
  return checked.ok ? 'accepted' : checked.reason;
}

/** What these devices sign for the end of the sample round, as their records are signed. */
function signed(
  kind: (typeof KINDS)[number],
  keys: readonly DeviceKey[],
  { term = TERM, seq = 7 }: { term?: number; seq?: number } = {},
  header: Header = HEADER,
): Certificate {
  const { run, round, base, prev } = header;
  const records = keys.map((key, i) => {
    const common = {
      run,
      round,
      base,
      device: key.id,
      seq: seq + i,
      seen: { index: 80 + i, id: id(`seen ${i}`) },
      term,
    };
    const body: RecordBody =
      kind === 'header'
        ? { kind, ...common, header, preimage: id(`preimage ${i}`) }
        : { kind, ...common, header: headerId(header), prev };
    return signRecord(body, key) as VerifiedRecord<never>;
  });
  return records.length > 0 ? certificateOf(header, records) : { kind, term, header, signers: [] };
}
