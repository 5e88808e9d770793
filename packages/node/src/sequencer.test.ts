import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey, type Clock, deviceKey, hashOf, vouchForDevice } from '@folkmoot/core';
import { nextDeadline } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';
import { Log } from './log.ts';
import { RUN_PRESETS } from './presets.ts';
import { Sequencer } from './sequencer.ts';
import { Voice } from './voice.ts';

test('what the sequencer’s own device says is not overtaken by its tick', async () => {
  const { clock, log, say } = await founded();
  clock.nowMs = nextDeadline(log.state)!;
  const before = log.length;
  assert.deepEqual(await say[0]!('leave', { abstains: true }), { accepted: true, index: before + 1 });
  assert.equal(log.recordAt(before).kind, 'tick');
});

test('a device that starts again goes on counting where the log has it', async () => {
  const { log, keys, sequencer } = await founded();
  const again = new Voice(keys[1]!, log.state, (sign) => sequencer.submit(sign));
  assert.equal((await again.say('leave', { abstains: true })).accepted, true);
});

test('a record that a due deadline makes late is refused, and the log says first that it has passed', async () => {
  const { clock, log, say } = await founded();
  clock.nowMs = nextDeadline(log.state)!;
  await say[1]!('leave', { abstains: true });
  assert.equal(log.state.round.phase, 'train');
  clock.nowMs = nextDeadline(log.state)!;
  const { number } = log.state.round;
  const receipt = await say[1]!(
    'ready',
    { tip: hashOf('tip'), engine: 'x', reset: false },
    { round: number, base: log.state.base },
  );
  assert.equal(receipt.accepted, false);
  assert.equal(log.state.round.number, number + 1);
});

test('the log’s time stands still while the sequencer is down, and never goes back', async () => {
  const { clock, log, key, tick } = await founded();
  const { atMs } = log.state.head;
  clock.nowMs += 3_600_000;
  const again = new Sequencer(log, key, clock, tick);
  again.begin();
  await again.submit(tick);
  assert.equal(log.state.head.atMs, atMs);
  clock.nowMs += 10;
  await again.submit(tick);
  assert.equal(log.state.head.atMs, atMs + 10);
  clock.nowMs -= 5000;
  await again.submit(tick);
  assert.equal(log.state.head.atMs, atMs + 10);
});

/** A log with two ready members, before its first round: the first is the sequencer. */
async function founded() {
  const keys = [1, 2].map((byte) => deviceKey(new Uint8Array(32).fill(byte)));
  const key = keys[0]!;
  const clock: Clock & { nowMs: number } = {
    nowMs: 1_000_000,
    now: () => clock.nowMs,
    sleep: () => new Promise(() => {}),
  };
  const nothing = async () => {};
  const journal = { count: 0, append: nothing, truncate: nothing, async *lines() {}, close: nothing };
  const cells = { read: async () => undefined, write: async () => {} };
  const charter = { ...RUN_PRESETS.tiny, sequencer: key.id, initialBase: hashOf('base') } as unknown as Charter;
  const log = await Log.open({ ...charter, dataset: {}, programs: {} } as Charter, journal, cells);
  const tick = () => voices[0]!.sign('tick', {});
  const sequencer = new Sequencer(log, key, clock, tick);
  sequencer.begin();
  const voices = keys.map((each) => new Voice(each, log.state, (sign) => sequencer.submit(sign)));
  for (const [i, voice] of voices.entries()) {
    const account = accountKey(new Uint8Array(32).fill(10 + i));
    await voice.say('join', {
      account: account.id,
      vouch: vouchForDevice(account, keys[i]!.id, log.state.run),
      name: 'm',
    });
    await voice.say('ready', { tip: hashOf('tip'), engine: 'x', reset: false });
  }
  return { clock, log, key, keys, sequencer, tick, say: voices.map((voice) => voice.say.bind(voice)) };
}
