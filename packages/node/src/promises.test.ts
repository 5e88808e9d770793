/** What an elector has promised: it is on disk before it is said, so that a restart keeps it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cells, hashOf } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { ScriptedMember, ScriptedRun, testCharter } from '@folkmoot/protocol/test-support';
import { type Certificate, certificateOf, type Header, type RecordOf, type VerifiedRecord } from '@folkmoot/records';
import { Promises } from './promises.ts';

const OTHER = hashOf('another header');

/** A disk that keeps what it is given, or nothing from `isFull` on. */
class Disk implements Cells {
  readonly #kept = new Map<string, Uint8Array>();
  isFull = false;
  async read(name: string): Promise<Uint8Array | undefined> {
    return this.#kept.get(name);
  }
  async write(name: string, bytes: Uint8Array): Promise<void> {
    if (this.isFull) throw new Error('full');
    this.#kept.set(name, bytes);
  }
}

/** Four electors in the first term at the end of a round: the header that they sign, and its certificate. */
function atTheEnd(): { state: State; header: Header; certificate: Certificate; id: string } {
  const run = new ScriptedRun(
    testCharter(),
    [1, 2, 3, 4].map((index) => new ScriptedMember(index)),
  );
  for (const member of run.members) run.join(member);
  assert.ok(run.run(() => run.state.round.phase === 'seal'));
  const signed = run.records.filter((record) => record.body.kind === 'header') as VerifiedRecord<RecordOf<'header'>>[];
  const { header } = signed.at(-1)!.body;
  return {
    state: run.state,
    header,
    certificate: certificateOf(header, signed),
    id: run.state.round.certified!.header,
  };
}

test('what was signed, sealed, voted or abstained from is promised after a restart too', async () => {
  const { state, certificate, id } = atTheEnd();
  const later = { ...state, term: state.term + 1 };
  const restarted = async (say: (promises: Promises) => Promise<unknown>) => {
    const disk = new Disk();
    await say(await Promises.open(disk));
    return Promises.open(disk);
  };
  const signed = await restarted((promises) => promises.sign(state, id));
  assert.equal(await signed.sign(state, OTHER), false);
  assert.equal(await signed.sign(state, id), true);
  assert.equal(await signed.abstain(state), false);

  const sealed = await restarted((promises) => promises.seal(state, certificate));
  assert.deepEqual(sealed.lock(state), certificate);
  assert.equal(await sealed.sign(later, OTHER), false);
  assert.equal(await sealed.sign(later, id), true);

  const vote = { body: { kind: 'vote' }, signature: 'ab' } as never;
  const voted = await restarted((promises) => promises.cast(state, vote, state.term + 1));
  assert.deepEqual([voted.vote(state), voted.term(state)], [vote, state.term + 1]);
  assert.equal(await voted.sign(state, id), false);

  const away = await restarted((promises) => promises.abstain(state));
  assert.equal(away.isAbstaining(state), true);
  assert.equal(await away.sign(state, id), false);
});

test('what the disk does not take is not said', async () => {
  const { state, certificate, id } = atTheEnd();
  const disk = new Disk();
  disk.isFull = true;
  const promises = await Promises.open(disk);
  await assert.rejects(promises.sign(state, id), /full/);
  await assert.rejects(promises.seal(state, certificate), /full/);
  await assert.rejects(promises.abstain({ ...state, lastHeader: OTHER }), /full/);
});

test('a finished round ends what was promised about it', async () => {
  const { state, id } = atTheEnd();
  const promises = await Promises.open(new Disk());
  assert.equal(await promises.sign(state, id), true);
  assert.equal(await promises.sign({ ...state, lastHeader: OTHER }, OTHER), true);
});
