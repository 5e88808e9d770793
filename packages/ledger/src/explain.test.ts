import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, shortId } from '@folkmoot/core';
import { explain, explainCarried } from './explain.ts';
import type { Evidence, Outcome } from './settlement.ts';

const EVIDENCE: Evidence = {
  update: 'aaaaaaaaaaaaaaaa',
  commit: 'cccccccccccccccc',
  segment: 3,
  auditors: ['bob', 'eve'],
  verdicts: ['1111111111111111', '2222222222222222'],
  distancePpm: 421,
  tensor: 'layers.0.q',
  part: 'segment',
  standIn: 'zoe',
  step: 1,
  operator: 7,
  entry: 77,
};

const SENTENCES: Record<Outcome, string> = {
  matched:
    'round 4: ADA earned 40 credits: segment 3 and the encoding were re-executed by BOB and EVE, bits equal (verdict 1111111111, 2222222222)',
  within:
    'round 4: ADA earned 40 credits: segment 3 was re-executed by BOB and EVE, distance 0.0421 % is within tolerance (verdict 1111111111, 2222222222)',
  'not-drawn': 'round 4: ADA earned 40 credits: included, not drawn for audit this round',
  'no-verdict':
    'round 4: ADA earned 40 credits: included; drawn for segment 3, but auditors stayed silent, so it is audited next round',
  mismatch:
    'round 4: ADA earned 40 credits: segment 3 came out differently when BOB and EVE re-executed it: first differing tensor layers.0.q, distance 0.0421 % (commit cccccccccc, verdict 1111111111, 2222222222)',
  upheld:
    'round 4: ADA earned 40 credits: the mismatch that BOB and EVE had found in segment 3 was disputed, and nothing of it is left (entry 77)',
  arbitrated:
    'round 4: ADA earned 40 credits: the dispute with BOB and EVE ended at operator 7 of step 2 of segment 3, which judges ran again: it is wrong; locked credit was forfeited (commit cccccccccc, entry 77)',
  disputed:
    'round 4: ADA earned 40 credits: BOB and EVE came to different findings about segment 3, and nobody was left to decide (commit cccccccccc, verdict 1111111111, 2222222222)',
  tainted: 'round 4: ADA earned 40 credits: it was built on a state that an audit refused (commit cccccccccc)',
  'not-opened': 'round 4: ADA earned 40 credits: asked to open segment 3, not opened by entry 77',
  unavailable:
    'round 4: ADA earned 40 credits: segment 3 was opened, but its bytes could not be fetched by BOB and EVE (verdict 1111111111, 2222222222)',
  excluded: 'round 4: ADA earned 40 credits: update aaaaaaaaaa was left out: witnesses did not attest it',
  'not-revealed': 'round 4: ADA earned 40 credits: committed, but not revealed before the deadline at entry 77',
  late: 'round 4: ADA earned 40 credits: no commit before the deadline at entry 77',
  lapsed:
    'round 4: ADA earned 40 credits: no sign of life in mid-round: from entry 77 on nobody waited, and ZOE took over the rows',
  spare: 'round 4: ADA earned 40 credits: stood by in vain: the rows were delivered by another first',
  reproduced:
    'round 4: ADA earned 40 credits: vanished in mid-round; its first 3 segments were reproduced by BOB and EVE, bits equal (entry 77)',
  void: 'round 4: ADA earned 40 credits: the round had no quorum (entry 77); nothing was lost',
};

function sentence(outcome: Outcome, evidence: Evidence = EVIDENCE): string {
  const settlement = { round: 4, device: 'ada', account: '0xaa', outcome, segments: 0, evidence };
  return explain(settlement, 40, (device) => device.toUpperCase());
}

test('every outcome has its sentence, with the ids that prove it', () => {
  for (const [outcome, text] of Object.entries(SENTENCES)) assert.equal(sentence(outcome as Outcome), text);
});

test('a refused encoding is called one, and distances are readable', () => {
  assert.match(
    sentence('mismatch', { ...EVIDENCE, part: 'encode', tensor: '' }),
    /the update is not the encoding of its state when BOB and EVE re-executed it \(commit cccccccccc/,
  );
  assert.match(sentence('mismatch', { ...EVIDENCE, distancePpm: 1_000_000 }), /distance 100\.0 %/);
});

test('a settlement without evidence still has a sentence', () => {
  for (const outcome of Object.keys(SENTENCES) as Outcome[]) {
    const text = sentence(outcome, {});
    assert.ok(text.startsWith('round 4: ADA earned 40 credits: '));
  }
});

test('what was carried is explained apart from what was earned', () => {
  const from = { run: hashOf('parent'), round: 7 };
  assert.equal(
    explainCarried({ free: 30, locked: 20 }, from),
    `50 credits carried from round 7 of run ${shortId(from.run)}, by its share policy: 30 free, 20 locked anew, since they could still be lost there`,
  );
  assert.match(explainCarried({ free: 30, locked: 0 }, from), /policy: 30 free$/);
});
