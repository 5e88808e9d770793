/** What is known of a round in which a reserve took over: it is one of those who have a seat. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { State } from '@folkmoot/protocol';
import { RoundFiles } from './round-files.ts';
import type { Told } from './story.ts';

const carryIn = { moments: 'm', error: 'e', steps: 0, round: 0, since: 0 };
const stateOf = (seats: object) =>
  ({ base: 'base', previous: 'base', round: { seed: 'seed', seats } }) as never as State;
const told = (body: object, ...events: object[]) =>
  ({ entry: { index: 1, record: { id: 'record', body: { round: 1, ...body } } }, events }) as never as Told;

test('a stand-in that commits and reveals is told with what was left of its seat', () => {
  const files = new RoundFiles();
  const state = stateOf({ gone: { seat: 0, skip: 0, carryIn }, spare: { seat: 0, skip: 3, carryIn } });
  files.observe(told({ kind: 'tick' }, { kind: 'assigned', round: 1, trainers: ['gone'], witnesses: [] }), state);
  const handed = { kind: 'handed-over', round: 1, seat: 0, trainer: 'gone', standIn: 'spare', skip: 3 };
  files.observe(told({ kind: 'lapse' }, handed), state);
  const commit = { kind: 'commit', device: 'spare', momentsOut: 'out', errorOut: 'error', engine: 'native' };
  files.observe(told(commit, { kind: 'committed', round: 1, device: 'spare' }), state);
  const revealed = { kind: 'revealed', round: 1, device: 'spare', update: 'update', updateBytes: 9 };
  files.observe(told({ kind: 'reveal' }, revealed), state);
  const seat = files.all.get(1)!.seats.get('spare')!;
  assert.deepEqual([seat.skip, seat.commit, seat.momentsOut, seat.update], [3, 'record', 'out', 'update']);
});
