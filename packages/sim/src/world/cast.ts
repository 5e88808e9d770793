/** The adversaries that a world may have, and what checkers may expect of them. */
import { ADVERSARIES, type AdversaryName, CHEATER_NAMES, Plan } from '@folkmoot/adversaries';
import type { Conduct } from '@folkmoot/node';

/** Whose offers never survive an audit by an honest auditor: they must not be credited for one. */
const NO_WORK: ReadonlySet<string> = new Set<AdversaryName>([
  'idler',
  'free-rider',
  'zeros',
  'copycat',
  'precomputer',
  'poisoner',
  'sign-flipper',
  'forged-feedback',
  'withholder',
  'memory-bomb',
  'leaver',
]);

/** All that can be wished for; `sequencer` ones play the creator, the others come beside the honest members. */
export function adversaryNames(): string[] {
  return Object.keys(ADVERSARIES);
}

/** Those from which a plan is drawn: one of them among four honest members can gain nothing. */
export function drawableAdversaries(): readonly string[] {
  return CHEATER_NAMES;
}

export function isSequencer(adversary: string): boolean {
  return ADVERSARIES[adversary as AdversaryName].needs === 'sequencer';
}

export function doesNoWork(adversary: string): boolean {
  return NO_WORK.has(adversary);
}

/** The conducts of one world: accomplices of one name share a plan. */
export class Cast {
  readonly #plans = new Map<string, Plan>();

  conductOf(adversary: string): Conduct {
    const plan = this.#plans.get(adversary) ?? new Plan();
    this.#plans.set(adversary, plan);
    return ADVERSARIES[adversary as AdversaryName].conduct(plan);
  }
}
