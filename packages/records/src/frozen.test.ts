/** Frozen hashes: whoever changes one of them changes the protocol, and every run that exists becomes unreadable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@folkmoot/core';
import {
  blindOf,
  brokenRule,
  charterBytes,
  entryBytes,
  formatInvite,
  headerId,
  parseCharter,
  recordId,
  resultOf,
  SeedChain,
  signEntry,
  signRecord,
  traceRoot,
} from './index.ts';
import { BODIES, CHARTER, HEADER, INVITE, id, KEY, RUN, TRACE } from './samples.test-support.ts';

const actual = () => ({
  charter: RUN,
  'a header': headerId(HEADER),
  ...Object.fromEntries(Object.entries(BODIES).map(([kind, body]) => [kind, recordId(body)])),
  ...Object.fromEntries(TRACE.links.map((link, i) => [`link ${i}`, link])),
  'trace root': traceRoot(TRACE),
  blind: blindOf(id('update'), id('salt'), KEY.id),
  result: resultOf(id('root'), id('salt'), KEY.id),
  'seed chain': new SeedChain(id('secret')).tip(0),
  'entry id': ENTRY.id,
  'entry bytes': sha256(entryBytes(ENTRY)),
  invite: sha256(new TextEncoder().encode(formatInvite(INVITE))),
});

const ENTRY = signEntry({ index: 71, prev: id('entry'), atMs: 1_767_225_600_123 }, signRecord(BODIES.tick, KEY), KEY);

test('names and bytes of every record, the entry, the header, the charter and the trace stay what they were', () => {
  assert.deepEqual(actual(), FROZEN);
});

test('the samples keep the charter’s own rules', () => {
  assert.equal(brokenRule(CHARTER), undefined);
  assert.deepEqual(parseCharter(charterBytes(CHARTER), RUN), { ok: true, value: CHARTER });
});

const FROZEN: Record<string, string> = {
  charter: 'f3ed90da93524cb5d6c452fd5d4c159c5801928eea3f00917be02960d8c32a50',
  'a header': '49ca58e85b9b8b6dda3bb10b137edf3f3e611545f41704b257c67adf69694573',
  join: '18a7532955ce95cd586e1852e5e513b8d7e6d711ddc08d0b9de5326021304444',
  ready: 'd749bbb9e48f5beed54bab8e07c45ac3e098055b915a494641c7266f418f1ed3',
  leave: '146350f1881ec4d6d0964907b3793471be37ab87c94b9ecb87f0561e9ae41a98',
  commit: 'e1ae255ad60992ec4e827e42b64bf05c1874370f4581cf8c2f5124dfdb214df5',
  reveal: 'ee726b7702e4e6c648a8bf02ad30d6bd9e60a151c51cd9586a4a3cb6c272e5aa',
  attest: '1937a11cff3a81b0e9e1d06740d85ccad836bf044f91afbd7d9c0f1726c5d251',
  header: 'efd7ede2c5ef6a284d3d619020b6fc6cb28f7a428cf6b6dda6c96ef153e5fc00',
  open: '8f48202556bd05bb98613699dfd66388d52d4b79acd50bf06cf768172faf2fbf',
  result: '645ef2671f0dba498f2185e0288e1f754daebcd3a59eacc9d50662bd3a321497',
  close: '7b4e01f87dd1cc8cf9b364a1a29cab3ea65c6bfd29ecb488ebd0c728463ab169',
  verdict: '87eaac9208990fafaa1d20b8fa6c67e853a467dd7ed28cc92b408aa0efb66f69',
  fault: '9b7bd0f866183674fcc55eef4f46c707cbfa52e8fe4b893b1858fa8dc71216d1',
  tick: '2997bd734c622593fee712d48a44962bf44aa6ab87ec775763c13581e8c0da84',
  'link 0': '877e5012625a4e5e50e01e7fedf2d6874dd13d2462c4c706441c7ba62261d212',
  'link 1': 'ce9d10871fd337f6a5b0cd425dac95618103cc6a506816a8bb59896acfa5e534',
  'link 2': '3f39da0c9c11e8f6d2bb643272578ab3d13695c33776242a0788aa795154336a',
  'link 3': '441b8e8c7d0cedf699bf04b8a15d6277aba4c44d5bdc9ebf5ba8a69618ed8d74',
  'link 4': '9b49e1f25ed91dad0cc0292047c5c762bd4b036111cf3de24e9e950a72032b2a',
  'trace root': '4206e1431cecea8a3edc72e82bc6c0334389047cac6b6a752b2eb1241f739c16',
  blind: '631e681463ae92fd5e14bb86f8ecada1463cc3bd1003162c2127cf289dc43911',
  'seed chain': 'cc7fffdc7c724fc6fc3739c642d1033ac9a31e2e95191448cf6dded89873d10e',
  'entry id': '79ce0d3bb159678853c039548a9ccd2c24757e9828c7b9e0f3e60617174f6b4e',
  'entry bytes': '5dbe64604a43ab7389103310af9d2484c9f16dee18efb826afabbb30924ab0f0',
  invite: '1f7a13aa50d0769e06858ee2e20830ffc24fcf6f791d3f467016d9792d745b13',
};
