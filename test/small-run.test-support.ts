/** A real run in a folder: three members over the network of this machine, one of them a free rider; seconds, not minutes. */
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@folkmoot/core';
import { readDocuments } from '@folkmoot/data/node';
import { foundRun, RUN_PRESETS, type RunRules } from '@folkmoot/node';
import { type Charter, runId } from '@folkmoot/records';
import { openDiskStore } from '@folkmoot/store';
import { runFolder } from '../apps/cli/src/run/run-folder.ts';
import { openHome, Session } from '../apps/cli/src/run/session.ts';

const ROUNDS = 3;
const { tiny } = RUN_PRESETS;

/** A model and rounds of a moment. */
export const SMALL_RULES: RunRules = {
  ...tiny,
  model: { ...tiny.model, vocab: 320, hidden: 32, layers: 1, heads: 2, kvHeads: 1, feedForward: 48, context: 16 },
  batchRows: 2,
  microRows: 1,
  stepsPerRound: 6,
  stepsPerSegment: 2,
  timing: { ...tiny.timing, openMs: 300, graceMs: 500 },
  committee: { ...tiny.committee, minMembers: 3 },
};

export interface SmallRun {
  readonly charter: Charter;
  readonly run: string;
  /** Homes of `ana` (the creator), `ben` and `eve` (the free rider). */
  readonly homes: Readonly<Record<'ana' | 'ben' | 'eve', string>>;
  /** Still takes part, in this process; the others have left. */
  readonly ana: Session;
  /** A new folder beside the homes. */
  folder(name: string): string;
  /** A copy of a member's home, to be damaged. */
  copyOf(name: 'ana' | 'ben' | 'eve'): string;
  close(): Promise<void>;
}

/** Three finished rounds with all their audits settled. */
export async function smallRun(): Promise<SmallRun> {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot run '));
  const homes = { ana: join(root, 'ana'), ben: join(root, 'ben'), eve: join(root, 'eve') };
  const openAna = await openHome({ home: homes.ana, host: '127.0.0.1' });
  const { documents } = await readDocuments([fileURLToPath(new URL('../packages/core/src', import.meta.url))]);
  const { charter, artifacts } = foundRun({
    name: 'small',
    creator: openAna.identity.account.id,
    sequencer: openAna.identity.device.id,
    nonce: sha256(randomBytes(32)),
    licence: 'Apache-2.0',
    rules: SMALL_RULES,
    documents,
  });
  const run = runId(charter);
  const store = await openDiskStore({ path: runFolder(homes.ana, run).store });
  for (const bytes of artifacts) await store.put(bytes);

  const enter = (name: keyof typeof homes, open: Awaited<ReturnType<typeof openHome>>, doors: readonly string[]) =>
    Session.open(
      open,
      { run, name: 'small', doors, command: 'test' },
      {
        home: homes[name],
        name,
        host: '127.0.0.1',
        threads: 1,
        cheater: name === 'eve' ? 'free-rider' : undefined,
        evaluates: false,
        rounds: ROUNDS,
        watch: () => {},
        signal: new AbortController().signal,
      },
    );
  const ana = await enter('ana', openAna, []);
  const others = await Promise.all(
    (['ben', 'eve'] as const).map(async (name) =>
      enter(name, await openHome({ home: homes[name], host: '127.0.0.1' }), ana.network.addresses()),
    ),
  );
  const { state } = ana.member.log;
  while (state.finalized < ROUNDS || Object.keys(state.audits).length > 0) await sleep(50);
  for (const session of others) await session.close();
  let count = 0;
  const folder = (name: string) => join(root, `${name} ${count++}`);
  return {
    charter,
    run,
    homes,
    ana,
    folder,
    copyOf: (name) => {
      const home = folder(name);
      cpSync(homes[name], home, { recursive: true });
      return home;
    },
    close: async () => {
      await ana.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
