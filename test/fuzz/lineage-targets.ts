/** Readers of what a fork brings from its parent: the pedigree of a header, and the credits that it commits to. */
import { type Canonical, canonicalJson, fromUtf8, type Random, utf8 } from '@folkmoot/core';
import { creditRows, parseRows, rowsBytes } from '@folkmoot/ledger';
import { AncestryReader, apply, initialState, readPedigree } from '@folkmoot/protocol';
import { ScriptedMember, ScriptedRun, testCharter } from '../../packages/protocol/src/scripted.test-support.ts';
import { type Json, mutateBytes, mutateJson } from './mutation.ts';
import type { Target } from './target.ts';

export function lineageTargets(): Target[] {
  const charter = testCharter();
  const run = new ScriptedRun(
    charter,
    [1, 2].map((index) => new ScriptedMember(index)),
  );
  for (const member of run.members) run.join(member);
  run.run(() => run.state.finalized === 2);
  const lines = fromUtf8(pedigreeOf(run)).trimEnd().split('\n');
  const rows = rowsBytes(creditRows(run.state.ledger));
  return [
    {
      name: 'pedigree',
      make: (random) =>
        random.uint32() % 4 === 0 ? mutateBytes(random, textOf(lines), [utf8(lines.at(-1)!)]) : bent(random, lines),
      read: async (input) => (await readPedigree(charter, input)).ok,
    },
    {
      name: 'credits',
      make: (random) => mutateBytes(random, rows, [rows.subarray(0, 60)]),
      read: (input) => parseRows(input).ok,
    },
  ];
}

function pedigreeOf(run: ScriptedRun): Uint8Array {
  const reader = new AncestryReader(run.state.lastHeader, 2);
  const state = initialState(run.state.charter);
  for (const entry of run.entries) reader.take(entry, apply(state, entry), state);
  return reader.found!.pedigree;
}

/** One line changed as JSON. */
function bent(random: Random, lines: readonly string[]): Uint8Array {
  const at = random.uint32() % lines.length;
  const line = mutateJson(random, JSON.parse(lines[at]!) as Json);
  return textOf(lines.map((text, i) => (i === at ? textOrNone(line) : text)));
}

/** What JSON can say and canonical JSON cannot travels as it is. */
function textOrNone(line: Json): string {
  try {
    return canonicalJson(line as Canonical);
  } catch {
    return JSON.stringify(line);
  }
}

const textOf = (lines: readonly string[]) => utf8(lines.map((line) => `${line}\n`).join(''));
