/** Frozen hashes: whoever changes one of them changes the protocol, and every run that exists becomes unreadable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@folkmoot/core';
import {
  aheadIn,
  blindOf,
  brokenRule,
  type Charter,
  type CodecRules,
  charterBytes,
  entryBytes,
  formatInvite,
  headerId,
  parseCharter,
  pedigreeLinkId,
  pedigreeLinkIn,
  recordId,
  resultOf,
  runId,
  SeedChain,
  signEntry,
  signRecord,
  traceRoot,
} from './index.ts';
import {
  ACCOUNT,
  ADMITTED_JOIN,
  BODIES,
  CHARTER,
  FORKED,
  FULL_INVITE,
  HEADER,
  INVITE,
  id,
  KEY,
  PEDIGREE_LINK,
  RUN,
  TRACE,
} from './samples.test-support.ts';

const actual = () => ({
  charter: RUN,
  'a charter with momentum': runId(MOVING),
  'a header': headerId(HEADER),
  ...Object.fromEntries(Object.entries(BODIES).map(([kind, body]) => [kind, recordId(body)])),
  'join with a ticket': recordId(ADMITTED_JOIN),
  'charter with a list': runId(LISTED),
  'charter of a fork': runId(FORKED),
  'pedigree link': pedigreeLinkId(PEDIGREE_LINK),
  ...Object.fromEntries(TRACE.links.map((link, i) => [`link ${i}`, link])),
  'trace root': traceRoot(TRACE),
  blind: blindOf(id('update'), id('salt'), KEY.id),
  result: resultOf(id('root'), id('salt'), KEY.id),
  'seed chain': new SeedChain(id('secret')).tip(0),
  'entry id': ENTRY.id,
  'entry bytes': sha256(entryBytes(ENTRY)),
  invite: sha256(new TextEncoder().encode(formatInvite(INVITE))),
  'full invite': sha256(new TextEncoder().encode(formatInvite(FULL_INVITE))),
});

const LISTED: Charter = { ...CHARTER, admission: { kind: 'list', accounts: [ACCOUNT.id], perMember: 5 } };
const MOVING: Charter = {
  ...CHARTER,
  aggregator: { kind: 'clipped-mean', outerRate: '0.7', momentum: '0.6' },
  codec: { kind: 'sparse', chunk: 4096, keep: 38, errorDecay: '0.95', ahead: '0.5' },
};

const ENTRY = signEntry(
  { index: 71, prev: id('entry'), atMs: 1_767_225_600_123, term: 2 },
  signRecord(BODIES.tick, KEY),
  KEY,
);

test('names and bytes of every record, the entry, the header, the charter and the trace stay what they were', () => {
  assert.deepEqual(actual(), FROZEN);
});

test('the samples keep the charter’s own rules', () => {
  assert.equal(brokenRule(CHARTER), undefined);
  assert.deepEqual(parseCharter(charterBytes(CHARTER), RUN), { ok: true, value: CHARTER });
  assert.deepEqual(parseCharter(charterBytes(FORKED), runId(FORKED)), { ok: true, value: FORKED });
  assert.deepEqual(pedigreeLinkIn(JSON.parse(JSON.stringify(PEDIGREE_LINK))), { ok: true, value: PEDIGREE_LINK });
  assert.deepEqual(parseCharter(charterBytes(MOVING), runId(MOVING)), { ok: true, value: MOVING });
  assert.deepEqual(
    [1, 100].map((round) => aheadIn(MOVING.codec, round)),
    ['0.5', '0.5'],
  );
  const later = { ...MOVING.codec, aheadFrom: 20 } as CodecRules;
  assert.deepEqual(
    [19, 20, 21].map((round) => aheadIn(later, round)),
    [undefined, '0.5', '0.5'],
  );
  assert.equal(aheadIn({ kind: 'dense', block: 4096 }, 5), undefined);
  assert.match(brokenRule({ ...CHARTER, codec: { ...CHARTER.codec, aheadFrom: 20 } as CodecRules })!, /they never do/);
  for (const momentum of ['1', '-0.1', '1e-1', 0.5]) {
    const broken = { ...MOVING, aggregator: { ...MOVING.aggregator, momentum } } as Charter;
    const parsed = parseCharter(new TextEncoder().encode(JSON.stringify(broken)), RUN);
    assert.match(parsed.ok ? '' : parsed.reason, /aggregator\.momentum/);
  }
});

const FROZEN: Record<string, string> = {
  charter: 'fb70b89ee839dd3d03d8f6d94028d28a2d31bf695aeb094b4e24edb15f7715e8',
  'a charter with momentum': 'ece774fde0cfba7fe34b7f4bb7f85cbee9e18eb3d80c6a37939b61b02b76f33a',
  'a header': 'f0eb036894e0d6c9f89d94035b07a1883b043b4ab94ea9558ab789c5a421c2e7',
  join: 'f79eaeac5534f1cafa83a8f0d3290e7096f4767ac991da0b8f06af3a4a978e82',
  ready: 'e055914ada8d59942a870df22ecf9669492eefa961e7a0c47909e2abf92fb9f8',
  leave: '7b17faaec3718f7f6dfe6a569bcaef1a7d63180d11caa7560f8167e578119bdf',
  commit: '96a5db8b45efe09dd059ecd961850be43130d2930819fff03f346338dfde3ea3',
  reveal: '69a649eb334a5876ec83c0a64f616dfb0dfb4c01bd335036f82aca4f88062121',
  attest: 'da16da8cb26714f7e25c97b0eed3a08f1385c18858a4e10136200251da6b38c4',
  header: '9f33e790cc4836a04b30c7759f0f4a26424654668b965c795091024e0f5237ac',
  seal: '8a075d1aac47927d2c06e2d2fbb794ac7f5b3188141504e48edfd672c3fbc0d4',
  open: 'f61f12e59da033ae5b1ecf4a4eb4b3a104f6718aff67c2e929e76d2b95ab91b2',
  result: '645ef2671f0dba498f2185e0288e1f754daebcd3a59eacc9d50662bd3a321497',
  close: 'e9604ed9c3ca4be72f6e4eef6ccfa71d16bb56e689d4c6ba9718e4bcced749c1',
  verdict: 'da162091182775db0dd4b1b26768915aa6a61b5c2acb63cda9971782ce3b5405',
  dispute: '52269df5f18f1ba3d733bc2c73fb4e906b1ebba5aeab545fed580603a2a481ef',
  fault: '952bfcf897f79e138e98703a5a441eecb1914d769e5a996532854edc8af49f1a',
  revoke: 'f21b29fef5ebf07cc8314dd752ea778d62584b4ac8a21c1eba493ac58c222f93',
  withdraw: '3dc35b0fbb93ffce2e20113baa62f75dcdf38b0c0f65929faea47e80183fc1aa',
  lapse: '1ca38b58cc9b15b7c3f6484c17f977bb1cd6d4c361786dd500ee484f09f1364f',
  alive: '0c1649709353b3a069ec6e1f5e796cf917404737f0ffa9bc2608c04b263bcefb',
  reproduced: '2d81e9759f2a0e035d516bf6508465bf0eef91767f7122aface4a5d1924a8427',
  score: 'ccee260a4d446eca067a55a6d680157c236e6488d578121c181856544cf0712e',
  tick: 'fb373e466980940ae82f6f1b94538771d0f2ad320f756368e16c133790f2cef9',
  vote: '124bf962f835bd5c9f2e3819223e679f7fec320f52ffbbcfb07894e5a56f069c',
  succeed: '1288b77a18d1fe6302dc121788fae20f4c1529423da68d85be983937ebebea55',
  'join with a ticket': '55398e5ebb2dbcc48f911a042f8e5f44eb95fae666752b5e875d9df3b5dd4535',
  'charter with a list': '28ea47786bfc7fe75680702c8e87eff810f3d0b5a8107fff6515bcc5d16d7cc1',
  'charter of a fork': '33e3cb0c236c1e3c3ff62314173708a0e71623e14e4dfd7e5ec0215377689e50',
  'pedigree link': 'be2b8cc17812767924e00dcb6a84a2d71afbcdb20d369e8b87fb9c829e904a19',
  'link 0': '877e5012625a4e5e50e01e7fedf2d6874dd13d2462c4c706441c7ba62261d212',
  'link 1': 'ce9d10871fd337f6a5b0cd425dac95618103cc6a506816a8bb59896acfa5e534',
  'link 2': '3f39da0c9c11e8f6d2bb643272578ab3d13695c33776242a0788aa795154336a',
  'link 3': '441b8e8c7d0cedf699bf04b8a15d6277aba4c44d5bdc9ebf5ba8a69618ed8d74',
  'link 4': '9b49e1f25ed91dad0cc0292047c5c762bd4b036111cf3de24e9e950a72032b2a',
  'trace root': '4206e1431cecea8a3edc72e82bc6c0334389047cac6b6a752b2eb1241f739c16',
  blind: '631e681463ae92fd5e14bb86f8ecada1463cc3bd1003162c2127cf289dc43911',
  'seed chain': 'cc7fffdc7c724fc6fc3739c642d1033ac9a31e2e95191448cf6dded89873d10e',
  'entry id': '3f0f684729651fbdfeb37881b4778e704c21dd829b2652d105651a10358ae19f',
  'entry bytes': 'b289106d02e6c8a583239968c22568c921768c2f733c00d28ac9d81c10f5e2cc',
  invite: 'f4c33f79a7cc034b7476e1d455f30af508918fe35543442158fbd9851ca186bb',
  'full invite': '8509a9942442191a0ac478f293c4827eef683bfa0e627719a0e5d438fa3c3063',
};
