/** What is fuzzed: a reader of bytes that a stranger may have written. */
import { isWorldError, type Random } from '@folkmoot/core';

export interface Target {
  readonly name: string;
  /** A nearly valid input. */
  make(random: Random): Uint8Array;
  /**
   * Reads it: true where it was taken, false where it was refused by a returned value; throwing a `WorldError` refuses
   * too. Everything else thrown is a finding.
   */
  read(input: Uint8Array): boolean;
}

export function isTaken(target: Target, input: Uint8Array): boolean {
  try {
    return target.read(input);
  } catch (error) {
    if (isWorldError(error)) return false;
    throw error;
  }
}
