import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { type EngineChannel, openEngine } from './remote.ts';
import type { Reply, Request } from './worker-protocol.ts';

/** A worker that answers nothing but `open`, until it is told to. */
class SilentWorker implements EngineChannel {
  alive = false;
  terminated = 0;
  readonly requests: Request[] = [];
  reply: (reply: Reply) => void = () => {};
  end: (reason: string) => void = () => {};

  post(request: Request): void {
    this.requests.push(request);
    const value = { name: 'silent', memory: 'host' } as const;
    if (request.operation === 'open') queueMicrotask(() => this.reply({ id: request.id, value }));
  }
  onReply(handler: (reply: Reply) => void): void {
    this.reply = handler;
  }
  onEnd(handler: (reason: string) => void): void {
    this.end = handler;
  }
  keepAlive(alive: boolean): void {
    this.alive = alive;
  }
  async terminate(): Promise<void> {
    this.terminated++;
  }
}

test('a worker that ends fails everything that waits, and everything after', async () => {
  const worker = new SilentWorker();
  const engine = await openEngine('native', 1, worker);
  const waiting = [engine.allocate('float32', 1), engine.allocate('float32', 2)];
  const checks = waiting.map((promise) =>
    assert.rejects(promise, (error) => isWorldError(error, 'engine-crashed') && error.facts.reason === 'out of memory'),
  );
  worker.end('out of memory');
  await Promise.all(checks);
  await assert.rejects(engine.allocate('float32', 1), (error) => isWorldError(error, 'engine-crashed'));
});

test('only a pending answer keeps the process alive', async () => {
  const worker = new SilentWorker();
  const engine = await openEngine('native', 1, worker);
  assert.equal(worker.alive, false);
  const allocated = engine.allocate('float32', 1);
  assert.equal(worker.alive, true);
  worker.reply({ id: worker.requests.at(-1)!.id, value: undefined });
  await allocated;
  assert.equal(worker.alive, false);
});

test('errors keep their kind on the way from the worker', async () => {
  const worker = new SilentWorker();
  const engine = await openEngine('native', 1, worker);
  const failing = engine.allocate('float32', 1);
  const error = { name: 'WorldError', message: 'Full.', code: 'engine-memory', facts: { bytes: 4 }, help: 'Wait.' };
  worker.reply({ id: worker.requests.at(-1)!.id, error });
  await assert.rejects(failing, (thrown) => isWorldError(thrown, 'engine-memory') && thrown.help === 'Wait.');
});

test('closing a crashed engine is not an error, and ends the worker once', async () => {
  const worker = new SilentWorker();
  const engine = await openEngine('native', 1, worker);
  worker.end('gone');
  await engine.close();
  await engine.close();
  assert.equal(worker.terminated, 1);
});

test('a lost device ends the engine: what waits fails with the same error, and the worker ends', async () => {
  const worker = new SilentWorker();
  const engine = await openEngine('webgpu', 1, worker);
  const lost = (error: unknown) => isWorldError(error, 'engine-device-lost') && error.facts.reason === 'unplugged';
  const waiting = [engine.allocate('float32', 1), engine.allocate('float32', 2)].map((promise) =>
    assert.rejects(promise, lost),
  );
  const error = { name: 'WorldError', message: 'Gone.', code: 'engine-device-lost', facts: { reason: 'unplugged' } };
  worker.reply({ id: worker.requests.at(-1)!.id, error });
  await Promise.all(waiting);
  await assert.rejects(engine.allocate('float32', 1), lost);
  assert.equal(worker.alive, false);
  await engine.close();
  assert.equal(worker.terminated, 1);
});
