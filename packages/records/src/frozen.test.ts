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
  FULL_INVITE,
  HEADER,
  INVITE,
  id,
  KEY,
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

const ENTRY = signEntry({ index: 71, prev: id('entry'), atMs: 1_767_225_600_123 }, signRecord(BODIES.tick, KEY), KEY);

test('names and bytes of every record, the entry, the header, the charter and the trace stay what they were', () => {
  assert.deepEqual(actual(), FROZEN);
});

test('the samples keep the charter’s own rules', () => {
  assert.equal(brokenRule(CHARTER), undefined);
  assert.deepEqual(parseCharter(charterBytes(CHARTER), RUN), { ok: true, value: CHARTER });
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
  'a charter with momentum': 'a9378e01b427dda27589fb1cb6095c462514465d54e7f50881dae6e099a7f7d0',
  charter: 'e1c6c53ff375f02af6ed8961c77e1c1512f548715d87840d3d919fba9a683caf',
  'a header': 'd10780b6455f0412a8a369dc2467cf90360deaa15c2e9112f305f47a238d289d',
  join: '9fc8e4dee6341b5e819876ffae6b18ffc7d4c9efe12e6fb404eca7e6cafb2a0e',
  ready: '8198f3a347bf08ee02582d31c31e97455b9a889a4048ad16fb2368495da04c18',
  leave: '309d9789e8074d8b689079883f0177aaf79477438e24e3e921cf93c161cbe864',
  commit: '2e49ea306e4cefc3551f251268b3964f426679261151d13c4a989b4a96fe27ce',
  reveal: 'aaad59003b6b6fc0abd7cc4b6ed598d24da3c92d52d5cc79c57735ad55b97ee1',
  attest: 'd65afe787682838ccdbfbe1ff3792e01a000ce4403e24f642525181d85a23414',
  header: '033db2acf3f7586e573affb23f914c6883b5cbea960e4a3ef7b666bec2de70c5',
  open: 'da4f7e40bb5b9375e9d149a2fd0b60c707ba88b6e791810f07b0dc756e208439',
  result: '645ef2671f0dba498f2185e0288e1f754daebcd3a59eacc9d50662bd3a321497',
  close: '977b76ebfb69e848603add0723af7f37dd54f076a4383f015e02c373d035a910',
  verdict: '8022f9357d72d04300a0151fda65960b2aeb4b510062a632bd0bf4699d635490',
  dispute: '3ba428403dd7d04e772133bd0c416587183c699e90eb1a066491f0e15441326b',
  fault: '426f019e01e5312d59e5b09290f40fb20195d028c609ed2c26afd9560b5e478f',
  revoke: '726a5402565ff0b5e2891135f4b3a78dc7a11e960d05691a7bfce2f1061ffa07',
  withdraw: '9bed66f06d6ba3ce94aaf6fb1d659c17a287882eeed237ee236cae4c19324747',
  'join with a ticket': '4fa471b16dad5756b1001e7269de65e0444def175f3c362684225fb7d04149b6',
  'charter with a list': '0e4f2eb080461704109a68ac31f5251917b2005c9afb41b94188efc19c56fcf7',
  lapse: '15393855d18923b2e7a85b9f5e72604c486c3227bf53f2247197c27623b42a53',
  alive: 'c78e254f660d3ddc31f030eb493da7b1e3bd95c4cb517ee22823a656ea907343',
  reproduced: '5bbac07c96db7efdcd3eb636f03d766fdb7d5b0386b00f7a01a8ee2cc21760f4',
  score: '5846f5efe4d3b7530fc9879f99d9a486f3a4a5ba5c0b79fb20318ccc4efb50cc',
  tick: 'b124b53e92a04a9a6f2690ea7864d663e5398821023ca793041c883969692ca1',
  'link 0': '877e5012625a4e5e50e01e7fedf2d6874dd13d2462c4c706441c7ba62261d212',
  'link 1': 'ce9d10871fd337f6a5b0cd425dac95618103cc6a506816a8bb59896acfa5e534',
  'link 2': '3f39da0c9c11e8f6d2bb643272578ab3d13695c33776242a0788aa795154336a',
  'link 3': '441b8e8c7d0cedf699bf04b8a15d6277aba4c44d5bdc9ebf5ba8a69618ed8d74',
  'link 4': '9b49e1f25ed91dad0cc0292047c5c762bd4b036111cf3de24e9e950a72032b2a',
  'trace root': '4206e1431cecea8a3edc72e82bc6c0334389047cac6b6a752b2eb1241f739c16',
  blind: '631e681463ae92fd5e14bb86f8ecada1463cc3bd1003162c2127cf289dc43911',
  'seed chain': 'cc7fffdc7c724fc6fc3739c642d1033ac9a31e2e95191448cf6dded89873d10e',
  'entry id': '7376e4279d7039fdeff59867ef1e0f6bf2577142f56d8cedd750b01dad6a336f',
  'entry bytes': '71c2da35c091174a76b9599b93f964b256cf5106750522360edd28993d659e09',
  invite: '754006f5c0c37717956d4b1cfa5ca76ca738c6d92368ff66c4ba4d1c6deb16aa',
  'full invite': '197ff5f63d52751d5fd0588cf267380b061cabc167784360d2f607693874c2ed',
};
