/** Readers of JSON from strangers: records, entries, charters, manifests, invites, tokenizers, model configs. */
import { fromUtf8, type Random, sha256, utf8 } from '@folkmoot/core';
import { buildDataset, DocumentCollector, parseManifest } from '@folkmoot/data';
import { importHuggingFace, Tokenizer } from '@folkmoot/model';
import {
  charterBytes,
  entryBytes,
  formatInvite,
  parseCharter,
  parseEntry,
  parseInvite,
  parseRecord,
  type RecordBody,
  recordBytes,
  runId,
  signEntry,
  signRecord,
} from '@folkmoot/records';
import { ADMITTED_JOIN, BODIES, CHARTER, FORKED, FULL_INVITE, KEY } from '@folkmoot/records/test-support';
import { type Json, mutateBytes, mutateJson, pick, textOf } from './mutation.ts';
import { exportedFolder, TEXT } from './samples.ts';
import type { Target } from './target.ts';

const SEQUENCER = KEY;
const tokenizer = Tokenizer.train([TEXT], 300);
const manifest = buildDataset(documents(), tokenizer, { context: 8, shardTokens: 4096 });
const folder = exportedFolder();

export const jsonTargets: readonly Target[] = [
  {
    name: 'record',
    make: (random) => changed(random, pick(random, RECORDS)),
    read: (input) => parseRecord(input).ok,
  },
  {
    // Signed again after the change, so that what lies behind the signature is reached.
    name: 'signed-record',
    make: (random) => signedAgain(mutateJson(random, pick(random, SAID) as Json)),
    read: (input) => parseRecord(input).ok,
  },
  {
    name: 'entry',
    make: (random) => changed(random, pick(random, ENTRIES)),
    read: (input) => parseEntry(input, SEQUENCER.id).ok,
  },
  {
    name: 'charter',
    make: (random) => changed(random, charterBytes(pick(random, [CHARTER, FORKED]))),
    read: (input) => {
      const parsed = parseCharter(input, sha256(input));
      if (parsed.ok) runId(parsed.value);
      return parsed.ok;
    },
  },
  {
    name: 'manifest',
    make: (random) => changed(random, manifest.manifestBytes),
    read: (input) => parseManifest(input).kind === 'manifest',
  },
  {
    name: 'invite',
    make: (random) =>
      random.uint32() % 2 === 0
        ? mutateBytes(random, utf8(formatInvite(FULL_INVITE)), [utf8('folkmoot1-')])
        : utf8(`folkmoot1-${btoa(latin(changed(random, utf8(JSON.stringify(FULL_INVITE)))))}`),
    read: (input) => parseInvite(new TextDecoder().decode(input)).run !== '',
  },
  {
    name: 'tokenizer',
    make: (random) => changed(random, tokenizer.toJson()),
    read: (input) => Tokenizer.fromJson(input).encode(TEXT).length > 0,
  },
  {
    name: 'model-config',
    make: (random) => changed(random, folder.get('config.json')!),
    read: (input) =>
      importHuggingFace(new TextDecoder().decode(input), folder.get('model.safetensors')!).params.length > 0,
  },
];

const SAID = [...Object.values(BODIES), ADMITTED_JOIN];
const RECORDS = SAID.map((body) => recordBytes(signRecord(body, KEY)));
const ENTRIES = SAID.map((body, index) =>
  entryBytes(
    signEntry({ index, prev: CHARTER.initialBase, atMs: 1000 + index, term: 1 }, signRecord(body, KEY), SEQUENCER),
  ),
);

function documents() {
  const collector = new DocumentCollector(2 ** 20);
  for (let i = 0; i < 40; i++) collector.add(`file ${i}.md`, `${i} ${TEXT}`, 'MIT');
  return collector.documents;
}

/** The text changed as JSON, or now and then as bytes. */
function changed(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.uint32() % 4 === 0) return mutateBytes(random, bytes, [bytes]);
  return utf8(textOf(mutateJson(random, JSON.parse(fromUtf8(bytes)))));
}

/** Bodies without a canonical form cannot be signed; they travel with a signature of something else. */
function signedAgain(body: Json): Uint8Array {
  try {
    return recordBytes(signRecord(body as unknown as RecordBody, KEY));
  } catch {
    return utf8(JSON.stringify({ body, signature: '0'.repeat(128) }));
  }
}

function latin(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
