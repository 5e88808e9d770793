/**
 * A sequencer that leaves one member out, between real members on this machine's network: the electors see it for
 * themselves, another orders the log, and who was left out is credited.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@folkmoot/core';
import { readDocuments } from '@folkmoot/data/node';
import { balanceOf } from '@folkmoot/ledger';
import { foundRun, type Notice, type RunRules } from '@folkmoot/node';
import { runId } from '@folkmoot/records';
import { openDiskStore } from '@folkmoot/store';
import { runFolder } from '../apps/cli/src/run/run-folder.ts';
import { openHome, Session } from '../apps/cli/src/run/session.ts';
import { SMALL_RULES } from './small-run.test-support.ts';

const NAMES = ['ana', 'ben', 'cleo', 'dina'] as const;
/** Long, so that no machine is so busy that its electors vote for silence's sake; they look at a record for a quarter of it. */
const SILENCE_MS = 8000;
const RULES: RunRules = {
  ...SMALL_RULES,
  committee: { ...SMALL_RULES.committee, minMembers: NAMES.length },
  succession: { silenceMs: SILENCE_MS, everyRounds: 0, complaintRounds: 2 },
};
const host = '127.0.0.1';

test('a sequencer that refuses one member’s work is voted away by whoever tried, and the member is credited', async () => {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot-censor-'));
  const home = (name: string) => join(root, name);
  const notices = new Map<string, Notice[]>(NAMES.map((name) => [name, []]));
  const stop = new AbortController();
  const openAna = await openHome({ home: home('ana'), host });
  const { documents } = await readDocuments([fileURLToPath(new URL('../packages/core/src', import.meta.url))]);
  const { charter, artifacts } = foundRun({
    name: 'censored',
    creator: openAna.identity.account.id,
    sequencer: openAna.identity.device.id,
    nonce: sha256(randomBytes(32)),
    licence: 'Apache-2.0',
    rules: RULES,
    documents,
  });
  const run = runId(charter);
  const store = await openDiskStore({ path: runFolder(home('ana'), run).store });
  for (const bytes of artifacts) await store.put(bytes);
  const sessions: Session[] = [];
  const enter = async (name: (typeof NAMES)[number], doors: readonly string[]) => {
    const open = name === 'ana' ? openAna : await openHome({ home: home(name), host });
    const session = await Session.open(
      open,
      { run, name: 'censored', doors, command: 'test' },
      {
        ...{ home: home(name), name, host, threads: 1, evaluates: false },
        cheater: name === 'ana' ? 'censor' : undefined,
        watch: (notice) => void notices.get(name)!.push(notice),
        signal: stop.signal,
      },
    );
    sessions.push(session);
    return session;
  };
  try {
    const ana = await enter('ana', []);
    // The censor's victim is whoever speaks to it first.
    const ben = await enter('ben', ana.network.addresses());
    const others = [
      ben,
      ...(await Promise.all((['cleo', 'dina'] as const).map((name) => enter(name, ana.network.addresses())))),
    ];
    const censor = ana.identity.device.id;
    const earned = (session: Session) => balanceOf(session.member.log.state.ledger, ben.identity.account.id).earned;
    const isOver = () => others.every((session) => earned(session) > 0);
    // Without an end, a failure would wait for ever.
    for (let waits = 0; waits < 2400 && !isOver(); waits++) await sleep(50);
    assert.ok(isOver(), 'who was left out is credited');
    for (const { member } of others) {
      const { term, sequencer, members } = member.log.state;
      assert.ok(term > 1 && sequencer !== censor, `term ${term}`);
      // Leaving out costs the role alone.
      assert.equal(members[censor]!.banned, false);
    }
    const told = [...notices].flatMap(([name, list]) => list.map((notice) => ({ name, notice })));
    const leftOut = told.flatMap(({ notice }) => (notice.kind === 'left-out' ? [notice] : []));
    assert.ok(leftOut.some(({ device, sequencer }) => device === ben.identity.device.id && sequencer === censor));
    // Whoever complained had seen it in two rounds.
    const complained = told.filter(({ notice }) => notice.kind === 'complained' && notice.sequencer === censor);
    assert.ok(complained.length > 0);
    for (const { name } of complained) {
      const seen = notices.get(name)!.flatMap((notice) => (notice.kind === 'left-out' ? [notice.round] : []));
      assert.ok(new Set(seen).size >= 2, `${name} saw it in rounds ${seen}`);
    }
  } finally {
    stop.abort();
    for (const session of sessions) await session.close().catch(() => {});
    await rm(root, { recursive: true, force: true });
  }
});
