/** The adversaries that a world may have, and what checkers may expect of them. */
import { CHEATERS, type CheaterName } from '@folkmoot/adversaries';
import type { SimMemberOptions } from '../sim-run.ts';

/** Whose offers never survive an audit: they must not be credited for one. */
const NO_WORK: ReadonlySet<string> = new Set(['free-rider', 'copycat', 'poisoner', 'forged-feedback']);

export function adversaryNames(): string[] {
  return Object.keys(CHEATERS);
}

export function doesNoWork(adversary: string): boolean {
  return NO_WORK.has(adversary);
}

/** How a member of this name behaves. */
export function conductOf(adversary: string): SimMemberOptions {
  return { conduct: CHEATERS[adversary as CheaterName] };
}
