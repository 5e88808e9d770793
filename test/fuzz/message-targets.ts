/** Readers of what peers, mirrors and people hand over beside records: greetings, requests, answers, frames, headers, lines. */
import { type Random, utf8, vouchForDevice } from '@folkmoot/core';
import { endpointOf, FrameReader, parseContentRange, parseRange } from '@folkmoot/network';
import {
  addressesIn,
  artifactRequestIn,
  dialledBackIn,
  helloIn,
  logRequestIn,
  sizeIn,
  welcomeIn,
} from '@folkmoot/node';
import { formatVouch, parseJson, parseVouch } from '@folkmoot/records';
import { ACCOUNT, id, OTHER, RUN } from '@folkmoot/records/test-support';
import { type Json, mutateBytes, mutateJson, pick, textOf } from './mutation.ts';
import type { Target } from './target.ts';

const KEY = '12D3KooWFy8BjPcNCDW5uEPyzrqWqjycHgv1FWC7Kx8jQ1Jbunp5';
const ADDRESSES = [
  `/ip4/203.0.113.7/tcp/4801/p2p/${KEY}`,
  '/ip6/2001:db8::7/tcp/4801',
  `/ip4/203.0.113.7/tcp/4801/p2p/${KEY}/p2p-circuit/p2p/${KEY}`,
  '/dns4/example.org/tcp/443',
];
const VOUCH = formatVouch({
  run: RUN,
  account: ACCOUNT.id,
  device: OTHER.id,
  vouch: vouchForDevice(ACCOUNT, OTHER.id, RUN),
});
const RANGES = ['bytes=0-', 'bytes=10-19', 'bytes=-10', 'bytes=0-1,5-6'];
const CONTENT_RANGES = ['bytes 10-19/100', 'bytes 0-0/1', 'bytes */100'];

/** A message as JSON, changed; `read` gets the bytes. */
function message(name: string, valid: Json, read: (input: Uint8Array) => boolean): Target {
  const make = (random: Random) =>
    random.uint32() % 4 === 0
      ? mutateBytes(random, utf8(JSON.stringify(valid)), [utf8('{"run":')])
      : utf8(textOf(mutateJson(random, valid)));
  return { name, make, read };
}

function text(name: string, valid: readonly string[], read: (input: string) => boolean): Target {
  return {
    name,
    make: (random) => mutateBytes(random, utf8(pick(random, valid)), valid.map(utf8)),
    read: (input) => read(new TextDecoder().decode(input)),
  };
}

/** An answer as `askJson` hands it on. */
const answer = (input: Uint8Array): unknown => {
  const json = parseJson(input, 128 * 1024);
  return json.ok ? json.value : undefined;
};

const told = Array.from({ length: 5 }, (_, i) => ({ device: id(`peer ${i}`), addresses: ADDRESSES }));

export const messageTargets: readonly Target[] = [
  message('hello', { run: RUN, addresses: ADDRESSES }, (input) => {
    const { run, addresses } = helloIn(input);
    return run !== undefined && addresses.length > 0;
  }),
  message('welcome', { run: RUN, peers: told }, (input) => {
    const { run, peers } = welcomeIn(answer(input));
    return run === RUN && peers.length === told.length;
  }),
  message('log-request', { run: RUN, from: 17 }, (input) => logRequestIn(input)?.run === RUN),
  message('artifact-request', { id: id('artifact'), offset: 4096 }, (input) => artifactRequestIn(input) !== undefined),
  message('artifact-answer', { size: 123_456 }, (input) => sizeIn(input) !== undefined),
  message('dial-back', { addresses: ADDRESSES }, (input) => addressesIn(input).length === ADDRESSES.length),
  message(
    'dialled-back',
    { from: '203.0.113.7', atMs: 1_767_225_600_123, reached: [{ address: ADDRESSES[0]!, answers: true }] },
    (input) => dialledBackIn(answer(input)) !== undefined,
  ),
  text('vouch', [VOUCH], (line) => parseVouch(line).run !== ''),
  text('address', ADDRESSES, (line) => endpointOf(line) !== undefined),
  text('range', RANGES, (line) => {
    const range = parseRange(line, 100);
    if (typeof range !== 'object') return false;
    // What is read of a file must lie in it.
    if (range.first < 0 || range.last >= 100 || range.first > range.last) throw new Error(JSON.stringify(range));
    return true;
  }),
  text('content-range', CONTENT_RANGES, (line) => parseContentRange(line) !== undefined),
  framesTarget(),
];

/** Frames on a stream, in pieces as they may come: a reader takes what is whole and refuses the rest. */
function framesTarget(): Target {
  const frame = (bytes: Uint8Array) => {
    const whole = new Uint8Array(4 + bytes.length);
    new DataView(whole.buffer).setUint32(0, bytes.length);
    whole.set(bytes, 4);
    return whole;
  };
  const valid = new Uint8Array([...frame(utf8('hello')), ...frame(new Uint8Array(300)), 0x80, 0, 0, 0]);
  return {
    name: 'frames',
    make: (random) => mutateBytes(random, valid, [valid]),
    async read(input) {
      const stream = new PiecesOf(input);
      const reader = new FrameReader(stream as never, { sentBytes: 0, receivedBytes: 0 });
      stream.deliver();
      for (;;) {
        const read = await reader.read(1024, 10);
        if (read.kind === 'message' && read.bytes.length > 1024) throw new Error('a message above the limit');
        if (read.kind !== 'message') return read.kind === 'signal';
      }
    },
  };
}

/** As much of a stream as a reader sees: all pieces come at once, then it closes. */
class PiecesOf extends EventTarget {
  readonly status = 'open';
  readonly remoteWriteStatus = 'writable';
  readonly readStatus = 'readable';
  readonly readBufferLength = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.#bytes = bytes;
  }

  deliver(): void {
    const size = 1 + (this.#bytes[0] ?? 0);
    for (let at = 0; at < this.#bytes.length; at += size)
      this.dispatchEvent(Object.assign(new Event('message'), { data: this.#bytes.subarray(at, at + size) }));
    this.dispatchEvent(new Event('close'));
  }

  pause(): void {}
  resume(): void {}
}
