import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { DeviceHost } from './device-host.ts';
import { type DeviceRuntime, type DeviceTrouble, troubleIn } from './device-runtime.ts';
import type { OrtTensor } from './host.ts';

/** A device that copies: enough for buffers, and it can break. */
class FakeDevice implements DeviceRuntime {
  readonly name = 'webgpu fake';
  held = 0;
  failure: Error | undefined;
  state: DeviceTrouble | undefined;
  readonly createTensor = (_dtype: unknown, data: unknown): OrtTensor => ({ data });
  readonly reshape = (tensor: OrtTensor): OrtTensor => tensor;
  readonly trouble = () => this.state;
  /** What it comes to know after a failure. */
  news: DeviceTrouble | undefined;

  async aftermath(): Promise<void> {
    this.state ??= this.news;
  }

  async createSession(_bytes: Uint8Array, locations: Record<string, string>) {
    return {
      inputNames: ['from0'],
      outputNames: Object.keys(locations),
      run: async (feeds: Record<string, OrtTensor>) => {
        if (this.failure) throw this.failure;
        const outputs = Object.entries(locations).map(([name, location]) => {
          if (location === 'gpu-buffer') this.held++;
          return [name, { data: feeds.from0!.data, dispose: () => this.held-- }];
        });
        return Object.fromEntries(outputs);
      },
      release: async () => {},
    };
  }
}

/** A host on a device whose probe is taken as right. */
async function openHost(): Promise<{ device: FakeDevice; host: DeviceHost }> {
  const device = new FakeDevice();
  const host = new DeviceHost(
    async () => device,
    () => device.createSession(new Uint8Array(), {}),
  );
  await host.open({ threads: 1, device: { software: true, only: false } });
  return { device, host };
}

test('memory on the device is given back when it is covered, and when its buffer is freed', async () => {
  const { device, host } = await openHost();
  host.allocate({ buffer: 1, dtype: 'float32', elements: 4 });
  assert.equal(device.held, 0, 'an empty buffer takes nothing');
  for (const value of [1, 2]) await host.write({ buffer: 1, offset: 0, data: new Float32Array(4).fill(value) });
  assert.equal(device.held, 1);
  assert.deepEqual(await host.read({ buffer: 1, offset: 0, length: 4 }), Float32Array.of(2, 2, 2, 2));
  host.free({ buffer: 1 });
  assert.equal(device.held, 0);
});

test('int32 buffers are arrays on this side', async () => {
  const { host } = await openHost();
  host.allocate({ buffer: 1, dtype: 'int32', elements: 3 });
  await host.write({ buffer: 1, offset: 1, data: Int32Array.of(7, 8) });
  assert.deepEqual(await host.read({ buffer: 1, offset: 0, length: 3 }), Int32Array.of(0, 7, 8));
});

test('a lost device is named so, whether it fails the run, or says so itself, now or a little later', async () => {
  const lost = (error: unknown) => isWorldError(error, 'engine-device-lost') && error.help !== undefined;
  const { device, host } = await openHost();
  host.allocate({ buffer: 1, dtype: 'float32', elements: 2 });
  device.failure = new Error('WebGPU device lost (1): unplugged');
  await assert.rejects(host.write({ buffer: 1, offset: 0, data: Float32Array.of(1) }), lost);
  device.failure = undefined;
  device.state = { kind: 'lost', reason: 'destroyed' };
  await assert.rejects(
    host.write({ buffer: 1, offset: 0, data: Float32Array.of(1) }),
    lost,
    'what a lost device computes does not count',
  );
  device.state = undefined;
  device.failure = new Error('mapAsync failed');
  device.news = { kind: 'lost', reason: 'the process has ended' };
  await assert.rejects(host.write({ buffer: 1, offset: 0, data: Float32Array.of(1) }), lost);
});

test('too little memory on the device is named so, and leaves the buffer as it was', async () => {
  const { device, host } = await openHost();
  host.allocate({ buffer: 1, dtype: 'float32', elements: 2 });
  await host.write({ buffer: 1, offset: 0, data: Float32Array.of(1, 2) });
  device.failure = new Error('CreateBuffer failed with VK_ERROR_OUT_OF_DEVICE_MEMORY');
  await assert.rejects(host.write({ buffer: 1, offset: 0, data: Float32Array.of(3, 4) }), (error) =>
    isWorldError(error, 'engine-memory'),
  );
  device.failure = new Error('something else');
  await assert.rejects(host.write({ buffer: 1, offset: 0, data: Float32Array.of(3, 4) }), (error) =>
    isWorldError(error, 'engine-run'),
  );
  device.failure = undefined;
  assert.deepEqual(await host.read({ buffer: 1, offset: 0, length: 2 }), Float32Array.of(1, 2));
});

test('the words of drivers', () => {
  const kinds = Object.fromEntries(
    [
      'Device is lost.',
      'A valid external Instance reference no longer exists.',
      'std::bad_alloc',
      'Buffer size (9) exceeds the max buffer size limit (4).',
      'Bad shape',
    ].map((words) => [words, troubleIn(words)?.kind]),
  );
  assert.deepEqual(kinds, {
    'Device is lost.': 'lost',
    'A valid external Instance reference no longer exists.': 'lost',
    'std::bad_alloc': 'memory',
    'Buffer size (9) exceeds the max buffer size limit (4).': 'memory',
    'Bad shape': undefined,
  });
});
