/** Encoding is work too: the update and the error memory must follow from the claimed end and the memory before. */
import { bytesOf, type Hash, sha256 } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { encodeUpdate, type RoundResult } from '@folkmoot/training';

/** What a trainer says came out of its encoding. */
export interface EncodeClaim {
  readonly update: Hash;
  readonly errorOut: Hash;
}

/** What encoding `result` gives; `undefined` where it gives no update (a state that is not finite). */
export function reencode(rules: CodecRules, layout: ParameterLayout, result: RoundResult): EncodeClaim | undefined {
  const encoded = encodeUpdate(rules, layout, result);
  return encoded.ok ? { update: sha256(encoded.bytes), errorOut: sha256(bytesOf(encoded.errorOut)) } : undefined;
}

/** Whether `claim` is what encoding gives. No engine takes part, so there is no tolerance. */
export function encodeHolds(claim: EncodeClaim, mine: EncodeClaim | undefined): boolean {
  return mine !== undefined && claim.update === mine.update && claim.errorOut === mine.errorOut;
}
