/** A run that is too large for what a member may use is refused before anything is fetched or started. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWorldError, sha256, utf8 } from '@folkmoot/core';
import { readDocuments } from '@folkmoot/data/node';
import { foundRun, memoryNeed, RUN_PRESETS } from '@folkmoot/node';
import { runId } from '@folkmoot/records';
import { openDiskStore } from '@folkmoot/store';
import { runFolder } from '../apps/cli/src/run/run-folder.ts';
import { openHome, Session } from '../apps/cli/src/run/session.ts';
import { DATA } from './harness.ts';

const { tiny } = RUN_PRESETS;
const rules = { ...tiny, model: { ...tiny.model, vocab: 320, hidden: 32, layers: 1, context: 16 }, batchRows: 2 };

test('a member with less memory than its run needs is told both numbers, and leaves its home free', async () => {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot memory '));
  const home = { home: join(root, 'ana'), host: '127.0.0.1' };
  const open = await openHome(home);
  const { charter, artifacts } = foundRun({
    ...{ name: 'small', nonce: sha256(utf8('memory')), licence: 'Apache-2.0', rules },
    creator: open.identity.account.id,
    sequencer: open.identity.device.id,
    documents: (await readDocuments(DATA.slice(0, 1))).documents,
  });
  const run = runId(charter);
  const store = await openDiskStore({ path: runFolder(home.home, run).store });
  for (const bytes of artifacts) await store.put(bytes);
  const plans = ['plain', 'recompute'] as const;
  const need = Math.min(...plans.map((plan) => memoryNeed({ rules, engine: 'native', plan }).total));
  const enter = Session.open(
    open,
    { run, name: 'small', doors: [], command: 'test' },
    {
      ...{ ...home, evaluates: false, memoryBytes: need - 1, engine: 'native' },
      watch: () => {},
      signal: new AbortController().signal,
    },
  );
  // Whoever gets in would keep this process alive.
  void enter.then((session) => session.close()).catch(() => {});
  await assert.rejects(enter, (error) => {
    assert.ok(isWorldError(error, 'memory-too-small'));
    assert.equal(error.facts.needsBytes, Math.ceil(need));
    assert.equal(error.facts.availableBytes, Math.floor(need - 1));
    return true;
  });
  const again = await openHome(home);
  await again.network.close();
  await again.release();
  await rm(root, { recursive: true });
});
