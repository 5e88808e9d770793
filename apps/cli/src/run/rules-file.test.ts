import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { RUN_PRESETS } from '@folkmoot/node';
import { changedRules, readRulesFile } from './rules-file.ts';

const { tiny } = RUN_PRESETS;

test('a change replaces what it names, and nothing else', () => {
  const changed = changedRules(tiny, { stepsPerRound: 10, timing: { graceMs: 100 } });
  assert.deepEqual(changed, { ...tiny, stepsPerRound: 10, timing: { ...tiny.timing, graceMs: 100 } });
  assert.deepEqual(changedRules(tiny), tiny);
  const { succession } = changedRules(tiny, { succession: { everyRounds: 12 } });
  assert.deepEqual(succession, { ...tiny.succession, everyRounds: 12 }, 'the role goes around');
});

test('a rule of another kind replaces the old one whole', () => {
  assert.deepEqual(changedRules(tiny, { sharePolicy: { kind: 'none' } }).sharePolicy, { kind: 'none' });
  const half = { kind: 'carry', basisPoints: 5000 };
  assert.deepEqual(changedRules(tiny, { sharePolicy: { basisPoints: 5000 } }).sharePolicy, half);
});

test('what no charter may have is refused by its name', () => {
  for (const [change, where] of [
    [{ timing: { graceMs: -1 } }, 'timing.graceMs'],
    [{ timing: { patience: 3 } }, 'timing'],
    [{ credit: 5 }, 'credit'],
    [{ batchRows: 1.5 }, 'batchRows'],
  ] as const)
    assert.throws(
      () => changedRules(tiny, change),
      (error) => isWorldError(error, 'rules-invalid') && error.facts.where === where,
    );
});

test('a file that is no object of rules is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot rules '));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'rules.json');
  const refused = async (text: string, code: string) => {
    writeFileSync(path, text);
    await assert.rejects(readRulesFile(path), (error) => isWorldError(error, code));
  };
  await refused('{"model": {}}', 'rules-invalid');
  await refused('[1]', 'rules-invalid');
  await refused('{', 'rules-unreadable');
  await refused(' '.repeat(2 ** 17), 'rules-unreadable');
  writeFileSync(path, '{"audit": {"floorPpm": 7}}');
  assert.deepEqual(await readRulesFile(path), { audit: { floorPpm: 7 } });
});
