/**
 * What is left when the founder is gone for ever: a stranger comes in by another member's invite and is paid for a round, and
 * whatever a member's owner may ask is answered from that member's home.
 */
import assert from 'node:assert/strict';
import type { State } from '@folkmoot/protocol';
import { openLog } from '../harness.ts';
import type { Village } from './village.ts';

/** Fails where something of that does not hold, saying what. */
export async function inherit(village: Village, newcomer: string, host: string): Promise<void> {
  const process = await village.welcome(newcomer, host);
  const { device } = await process.started();
  for (const [command, ...args] of questions(village)) {
    const asked = village.ask(host, [command!, ...args]);
    assert.equal((await asked.ended).code, 0, `${command} after the founder’s death\n${asked.output}`);
  }
  // What is brought to the log comes to whoever orders it now, who says why it is nothing for this run.
  const brought = village.ask(host, ['invite', '--withdraw', 'ab'.repeat(32)]);
  await brought.ended;
  assert.equal(brought.lines.at(-1)?.error?.code, 'refused', brought.output);
  const log = openLog(village.process(host).home, village.run);
  const isIn = ({ members }: State) => (members[device]?.carry.round ?? 0) > 0;
  const { sequencer, members, term } = await log.until(`${newcomer}’s work in a base`, isIn, [process]);
  const [founder] = village.names;
  assert.ok(term > 1 && members[sequencer]?.name !== founder, 'another orders the log');
}

function questions(village: Village): readonly (readonly string[])[] {
  const [founder] = village.names as [string];
  return [
    ['status'],
    ['why', founder],
    ['log', '--last', '3'],
    ['generate', 'The log', '--max-tokens', '4'],
    ['export', '--to', village.folder('exported')],
  ];
}
