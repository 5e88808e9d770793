/**
 * Records whose signature is good and whose content is not, in every phase of a run: the reducer refuses or applies them,
 * and throws at none.
 */
import { fromUtf8, hashOf, type Random, utf8 } from '@folkmoot/core';
import { apply, check, copyState, type State } from '@folkmoot/protocol';
import { recordSchema, type VerifiedRecord } from '@folkmoot/records';
import { ScriptedMember, ScriptedRun, testCharter } from '../../packages/protocol/src/scripted.test-support.ts';
import { type Json, mutateJson, pick, textOf } from './mutation.ts';
import type { Target } from './target.ts';

interface Moment {
  readonly state: State;
  /** What a member said at that moment. */
  readonly body: Json;
}

const ENTRIES = 120;

export function reducerTarget(): Target {
  const moments = momentsOfARun();
  return {
    name: 'reducer',
    make(random: Random): Uint8Array {
      const at = random.uint32() % moments.length;
      // Now and then what belongs to another moment.
      const { body } = random.uint32() % 4 === 0 ? pick(random, moments) : moments[at]!;
      return utf8(textOf({ at, body: mutateJson(random, body) }));
    },
    read(input: Uint8Array): boolean {
      const { at, body } = JSON.parse(fromUtf8(input)) as { at: number; body: Json };
      const parsed = recordSchema.safeParse(body);
      if (!parsed.success) return false;
      const { state } = moments[at]!;
      const record = {
        id: hashOf('fuzzed', fromUtf8(input)),
        body: parsed.data,
        signature: '',
      } as unknown as VerifiedRecord;
      if (check(state, record) !== null) return false;
      const { head } = state;
      const place = { index: head.index + 1, prev: head.id, atMs: head.atMs + 1, term: state.term };
      apply(copyState(state), { id: hashOf('entry', record.id), ...place, record, signature: '' });
      return true;
    },
  };
}

/** Three rounds of four members, one of whom trains falsely, as the log saw them. */
function momentsOfARun(): Moment[] {
  const members = [1, 2, 3, 4].map((index) => new ScriptedMember(index));
  members[3]!.behaviour = (member, duty, run) => {
    if (duty.kind !== 'train') return undefined;
    const states = Array.from({ length: run.segments }, (_, i) => ({
      params: hashOf('false', member.id, duty.round, i),
      moments: hashOf('false moments', duty.round, i),
    }));
    run.commit(member, duty, { states });
    return 'done';
  };
  const run = new ScriptedRun(testCharter(), members);
  const moments: Moment[] = [];
  const append = run.append.bind(run);
  run.append = (record) => {
    moments.push({ state: copyState(run.state), body: record.body as unknown as Json });
    return append(record);
  };
  for (const member of members) run.join(member);
  run.run(() => run.entries.length >= ENTRIES);
  return moments;
}
