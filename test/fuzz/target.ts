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
  read(input: Uint8Array): boolean | Promise<boolean>;
}

export async function isTaken(target: Target, input: Uint8Array): Promise<boolean> {
  try {
    // Most are no promise, and waiting would cost more than reading.
    const taken = target.read(input);
    return typeof taken === 'boolean' ? taken : await taken;
  } catch (error) {
    if (isWorldError(error)) return false;
    throw error;
  }
}
