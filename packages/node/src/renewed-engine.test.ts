import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, WorldError } from '@folkmoot/core';
import type { Engine } from '@folkmoot/tensor';
import { RenewedEngine } from './renewed-engine.ts';

/** An engine that is only a name, and knows whether it was closed. */
class NamedEngine {
  closed = false;
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  async close(): Promise<void> {
    this.closed = true;
  }
}

/** A part that says on which engine it was made. */
async function part(engine: Engine) {
  return { on: engine.name, freed: false, free: async () => {} };
}

const named = (name: string) => new NamedEngine(name) as unknown as Engine & NamedEngine;
const lose = () => Promise.reject(new WorldError('engine-device-lost', 'Gone.'));
const lost = (error: unknown) => isWorldError(error, 'engine-device-lost');

test('after a loss the task fails, and what comes next is made on another engine', async () => {
  const started: (Engine & NamedEngine)[] = [];
  const first = named('first');
  const renewed = new RenewedEngine(first, async () => {
    started.push(named(`engine ${started.length + 2}`));
    return started.at(-1)!;
  });
  const trainer = await renewed.once('trainer', part);
  assert.equal(trainer.on, 'first');
  assert.equal(await renewed.once('trainer', part), trainer, 'made once');
  // Two tasks that were under way at the loss: one new engine.
  await Promise.all([assert.rejects(renewed.guard(lose), lost), assert.rejects(renewed.guard(lose), lost)]);
  assert.equal((await renewed.once('trainer', part)).on, started.at(-1)!.name);
  await assert.rejects(renewed.once('auditor', lose), lost);
  assert.equal((await renewed.once('auditor', part)).on, started.at(-1)!.name);
  assert.equal(started.length, 2);
  await renewed.close();
  assert.ok(started.every(({ closed }) => closed));
  assert.equal(first.closed, false, 'the first one is its owner’s');
});

test('where nothing else can be started the next task tries again', async () => {
  let attempts = 0;
  const renewed = new RenewedEngine(named('first'), async () => {
    if (++attempts === 1) throw new WorldError('engine-unavailable', 'Not now.');
    return named('second');
  });
  await assert.rejects(renewed.guard(lose), lost);
  assert.equal((await renewed.once('a', part)).on, 'first');
  await assert.rejects(renewed.guard(lose), lost);
  assert.equal((await renewed.once('a', part)).on, 'second');
});

test('other failures change nothing, and are not remembered', async () => {
  const renewed = new RenewedEngine(named('first'), () => assert.fail('no reason to start another engine'));
  await assert.rejects(
    renewed.once('trainer', async () => Promise.reject(new RangeError('no'))),
    RangeError,
  );
  assert.equal((await renewed.once('trainer', part)).on, 'first');
});
