import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorldError } from '@folkmoot/core';
import { SimClock } from '@folkmoot/sim';
import { firstDoor } from './first-door.ts';

const shut = new WorldError('peer-unreachable', 'shut');
const foreign = new WorldError('invite-foreign', 'another run');

/** Doors by name: opens after so long, or is shut with that error at once; `dead` never says anything. */
function street(clock: SimClock) {
  const tried: string[] = [];
  const enter = async (door: string): Promise<string> => {
    tried.push(door);
    if (door === 'dead') return new Promise(() => {});
    if (door === 'shut') throw shut;
    if (door === 'foreign') throw foreign;
    await clock.sleep(Number(door));
    return door;
  };
  return { tried, enter };
}

test('a dead door costs a moment, not its timeout', async () => {
  const clock = new SimClock();
  const { tried, enter } = street(clock);
  const beganMs = clock.now();
  const found = await clock.drive(firstDoor(['dead', 'dead', '20', '10'], enter, clock));
  assert.equal(found, '20');
  assert.deepEqual(tried, ['dead', 'dead', '20']);
  assert.ok(clock.now() - beganMs < 5000);
});

test('a door that opens late is taken all the same', async () => {
  const clock = new SimClock();
  const { enter } = street(clock);
  assert.equal(await clock.drive(firstDoor(['4500', 'shut', 'dead'], enter, clock)), '4500');
});

test('where none opens, the last one says why, or one that led elsewhere', async () => {
  const clock = new SimClock();
  const { enter } = street(clock);
  await assert.rejects(clock.drive(firstDoor(['shut', 'shut'], enter, clock)), shut);
  await assert.rejects(clock.drive(firstDoor(['shut', 'foreign', 'shut'], enter, clock)), foreign);
});
