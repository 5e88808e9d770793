/** What a device carries from round to round, where rounds are missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Conduct, trainHonestly } from '@folkmoot/node';
import { simCharter } from './sim-charter.ts';
import { SimRun } from './sim-run.ts';
import { checkStory } from './sim-story.ts';

/** More rounds than a trainer keeps traces of. */
const MISSED = 9;

test('a device that misses nine rounds still has the memory of the last one that counted, and is audited on it', async () => {
  const run = new SimRun('missed', simCharter({ audit: { floorPpm: 1_000_000 } }));
  for (let i = 0; i < 3; i++) run.add();
  const late = run.add({ conduct: missing(3, 2 + MISSED) });
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 6 + MISSED), run.troubles().slice(-5).join('\n'));
  const fates = checkStory(run).settlements.filter(({ device, round }) => device === late.id && round > 2 + MISSED);

  const commits = commitsOf(run, late.id);
  const next = commits.findIndex(({ round }) => round > 2);
  assert.ok(next > 0 && commits[next]!.round > 2 + MISSED, 'it missed them all');
  const { errorOut, momentsOut } = commits[next - 1]!;
  assert.notEqual(errorOut, run.charter.zeroError);
  assert.deepEqual([commits[next]!.errorIn, commits[next]!.momentsIn], [errorOut, momentsOut]);
  assert.ok(fates.length >= 2 && fates.every(({ outcome }) => outcome === 'matched'));
});

/** Trains honestly, but is never done with rounds `from` to `to`. */
function missing(from: number, to: number): Conduct {
  return {
    offer: (bench, duty, signal) =>
      duty.round < from || duty.round > to
        ? trainHonestly(bench, duty, signal)
        : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  };
}

function commitsOf(run: SimRun, device: string) {
  const { log } = run.creator.member!;
  return Array.from({ length: log.length }, (_, i) => log.recordAt(i)).flatMap((body) =>
    body.kind === 'commit' && body.device === device ? [body] : [],
  );
}
