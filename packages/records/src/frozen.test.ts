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
  charter: 'cafd6a91bf68520b297323b60ad8939a50f46108a36057f52f38ddd8d0298021',
  'a header': 'f4a7d3691f7d695213e0d1a8bcb56939de8cc326bb995df51f93e8ca63d9eb99',
  join: '73b983f1284af69af008c2d4923d02765af46fedff4d8f41a7393d1d045c0ccc',
  ready: '16c15add3ff5df015a7849f2d82fa177e7864294c2186ba2c1f357a02c161ddc',
  leave: '02fba25cc5f3d566ebc30423f66c8aeb6140f116a4bfba4b2fc185f7466f367f',
  commit: '0f4576e0de0dbc22af738605a6cec6ba6bf18844f40b9632a20a55fb86163bf2',
  reveal: '6c837db9878fd5a484d06c7de7a43ff89192ba8ec776a5ddf9acd72a3fff92cb',
  attest: 'c074dacf9519612660c8db14c8e13c299b4b303166b6767c831647bda9c5f26d',
  header: '16e118a73a1a0e54737d6269bcbb8612df8243cbaed15f88494ac15ecebd567d',
  open: '821697cae2ac7d8a9b8c5c4df1bdf5249fcafbe29bbc27f083bbebcd3e8c8c2d',
  result: '645ef2671f0dba498f2185e0288e1f754daebcd3a59eacc9d50662bd3a321497',
  close: 'ca50795dc034dc1cb0aa1167e28dc8e3b61a444685957e6c4fe5f7d352519895',
  verdict: '91c797706f077fb5fb57fee282073f8551220f7a29e15428e29356f94cd16dca',
  fault: 'a61269d9e1ffcd8237b92cf955e92e451230daafff302d534bd4e67f14c1110c',
  tick: '1a8eb04b67c6b928012044fb8815b3cb22f23110d6ef9b937ef149b930458051',
  'link 0': '877e5012625a4e5e50e01e7fedf2d6874dd13d2462c4c706441c7ba62261d212',
  'link 1': 'ce9d10871fd337f6a5b0cd425dac95618103cc6a506816a8bb59896acfa5e534',
  'link 2': '3f39da0c9c11e8f6d2bb643272578ab3d13695c33776242a0788aa795154336a',
  'link 3': '441b8e8c7d0cedf699bf04b8a15d6277aba4c44d5bdc9ebf5ba8a69618ed8d74',
  'link 4': '9b49e1f25ed91dad0cc0292047c5c762bd4b036111cf3de24e9e950a72032b2a',
  'trace root': '4206e1431cecea8a3edc72e82bc6c0334389047cac6b6a752b2eb1241f739c16',
  blind: '631e681463ae92fd5e14bb86f8ecada1463cc3bd1003162c2127cf289dc43911',
  'seed chain': 'cc7fffdc7c724fc6fc3739c642d1033ac9a31e2e95191448cf6dded89873d10e',
  'entry id': 'ecf2f54d5a1c0c49e9b895276b28d1d7a28c6aed7f84fc98ff4e264a4158dade',
  'entry bytes': '0f7284a37d2a62e98cd43e169680118870dd43a9430b008ceb0eb9f7b313fdba',
  invite: '66ea9a559798deeacedb8d4b01c387b40566e2740cc373dd309bf05cc037e431',
};
