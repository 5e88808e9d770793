import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnteringAloud } from './entering-aloud.ts';

test('who waits hears why, now and then, until it is in', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const entering = new EnteringAloud((line) => lines.push(line));
  t.mock.timers.tick(9_999);
  assert.deepEqual(lines, []);
  t.mock.timers.tick(1);
  entering.notice({ kind: 'peer', device: 'ab'.repeat(32), connected: true });
  t.mock.timers.tick(10_000);
  entering.notice({ kind: 'fetching', what: 'data', doneBytes: 1_000_000, sizeBytes: 3_000_000 });
  t.mock.timers.tick(10_000);
  entering.notice({ kind: 'fetching', what: 'data', doneBytes: 3_000_000, sizeBytes: 3_000_000 });
  t.mock.timers.tick(10_000);
  entering.close();
  t.mock.timers.tick(60_000);
  assert.equal(lines.length, 4);
  assert.match(lines[1]!, /waiting for a member of the run to answer; Ctrl\+C ends …/);
  assert.match(lines[2]!, /^fetching data: .* of .* …$/);
  assert.match(lines[3]!, /^waiting/);
});
