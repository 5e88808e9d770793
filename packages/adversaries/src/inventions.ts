/** What auditors say who have not looked. */
import { type Hash, hashOf } from '@folkmoot/core';
import type { Conduct, Workbench } from '@folkmoot/node';
import { resultOf } from '@folkmoot/records';

type Duty = Parameters<NonNullable<Conduct['perform']>>[1];
export type Audit = Extract<Duty, { kind: 'audit' }>['audit'];

interface Finding {
  readonly outcome: 'match' | 'within' | 'mismatch' | 'abstain' | 'unavailable';
  readonly part?: 'segment' | 'encode';
  readonly distancePpm?: number;
  readonly tensor?: string;
  readonly root?: Hash;
  readonly salt?: Hash;
}

/** A state that nobody has computed: the same for the result and for the verdict. */
export function invented({ key }: Workbench, { round, trainer, segment }: Audit): Hash {
  return hashOf('invented', key.id, round, trainer, segment);
}

/** Commits to `root`, under a salt that is no secret. */
export function sayResult({ voice, key }: Workbench, audit: Audit, root: Hash): Promise<unknown> {
  const { trainer, segment } = audit;
  return voice.say('result', { trainer, segment, result: resultOf(root, hashOf('salt'), key.id) }, audit);
}

export function sayVerdict({ voice }: Workbench, audit: Audit, finding: Finding): Promise<unknown> {
  const { trainer, segment } = audit;
  const { outcome, part = 'segment', distancePpm = 0, tensor = '', root = null, salt = null } = finding;
  return voice.say('verdict', { trainer, segment, outcome, part, distancePpm, tensor, stateRoot: root, salt }, audit);
}
