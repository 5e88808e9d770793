/** What a replay concludes from what comes out, with arithmetic that the test decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, utf8 } from '@folkmoot/core';
import type { Distance, SegmentEnd, Work } from '@folkmoot/node';
import { replay } from './replay.ts';
import type { ReplayBench } from './replay-bench.ts';
import type { OpenedSegment } from './replayable.ts';

const TOLERANCE_PPM = 1000;
const end: SegmentEnd = { params: utf8('end'), moments: utf8('moments'), losses: [2, 1], tokens: 8 };
const update = utf8('update');
const errorOut = utf8('error');

test('equal bits match; the encoding has no tolerance', async () => {
  assert.equal((await found({})).outcome, 'match');
  const encoded = await found({ encode: () => ({ update: utf8('other'), errorOut }) });
  assert.deepEqual([encoded.outcome, encoded.part], ['mismatch', 'encode']);
  const memory = await found({ encode: () => ({ update, errorOut: utf8('other') }) });
  assert.deepEqual([memory.outcome, memory.part], ['mismatch', 'encode']);
  assert.deepEqual([(await found({ encode: () => undefined })).outcome], ['mismatch']);
});

test('other bits are measured', async () => {
  const other = async () => ({ ...end, params: utf8('nearly') });
  const near = await found({ replay: other, distance: distanceOf(TOLERANCE_PPM) });
  assert.deepEqual([near.outcome, near.distancePpm, near.tensor], ['within', TOLERANCE_PPM, 'w']);
  const far = await found({ replay: other, distance: distanceOf(TOLERANCE_PPM + 1) });
  assert.deepEqual([far.outcome, far.part], ['mismatch', 'segment']);
  const moments = await found({
    replay: async () => ({ ...end, moments: utf8('other') }),
    distance: distanceOf(TOLERANCE_PPM + 1),
  });
  assert.equal(moments.outcome, 'mismatch');
});

test('a start that trains to nothing is a mismatch', async () => {
  const { outcome, distancePpm } = await found({ replay: async () => undefined });
  assert.deepEqual([outcome, distancePpm], ['mismatch', 1_000_000_000]);
});

const distanceOf = (distancePpm: number) => (): Distance => ({ distancePpm, tensor: 'w', first: 'v' });

function found(changes: Partial<Pick<Work, 'replay' | 'encode' | 'distance'>>) {
  const work = { replay: async () => end, encode: () => ({ update, errorOut }), distance: distanceOf(0), ...changes };
  const bytes = async () => new Uint8Array(0);
  const bench = {
    work,
    run: { charter: { engine: { tolerancePpm: TOLERANCE_PPM }, aggregator: {}, codec: { kind: 'dense' } } },
    params: bytes,
    moments: bytes,
    error: bytes,
  } as unknown as ReplayBench;
  const one = {
    kind: 'segment',
    audit: {
      opened: {},
      closed: { endParams: sha256(end.params), endMoments: sha256(end.moments) },
      update: sha256(update),
      commit: { errorOut: sha256(errorOut) },
      carryIn: {},
      auditors: [],
    },
  } as unknown as OpenedSegment;
  return replay(bench, one, new AbortController().signal);
}
