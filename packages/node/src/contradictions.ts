/**
 * Contradictions: a device that says one thing into the log, and another in its place that the log refuses.
 *
 * The second never becomes an entry, so whoever sees it (who orders the log, who passes records on, or everybody where a
 * refused record was appended) looks for the first. Honest devices keep what they have said on disk before they say it,
 * and repeat it word for word after a crash.
 */
import { type Clock, type DeviceId, fromUtf8 } from '@folkmoot/core';
import { auditKey, proveEquivocation, type State } from '@folkmoot/protocol';
import { type RecordBody, recordBytes, type VerifiedRecord } from '@folkmoot/records';
import type { Log } from './log.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a device says once for one place. */
const ONCE: ReadonlySet<RecordBody['kind']> = new Set(['commit', 'header', 'seal', 'result']);
/** Later than this nobody awaits a statement about a round any more. */
const ROUNDS_BACK = 3;
/** A look at the end of the log takes milliseconds: refused records come from whoever likes to be refused. */
const LOOKS = { burst: 8, perSecond: 2 };

export interface Contradiction {
  readonly device: DeviceId;
  readonly what: RecordBody['kind'];
  /** Both records as JSON: what `fault` takes. */
  readonly first: string;
  readonly second: string;
}

export class Contradictions {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #looks: TokenBucket;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#looks = new TokenBucket(LOOKS, clock.now());
  }

  /** What the log holds against `refused`, whose signature was checked; `undefined` where nothing does. */
  with(refused: VerifiedRecord): Contradiction | undefined {
    const { state } = this.#log;
    const { body } = refused;
    if (!isLikely(state, body) || !this.#looks.take(LOOKS, this.#clock.now())) return undefined;
    const second = fromUtf8(recordBytes(refused));
    for (const first of this.#log.recordsBack(body.device, body.kind)) {
      if (!proveEquivocation(state.run, first, second)) continue;
      const { body: said } = JSON.parse(first) as { body: RecordBody };
      return isCurrent(state, said) ? { device: body.device, what: body.kind, first, second } : undefined;
    }
    return undefined;
  }
}

/** Whether looking is worth its time: a member says something about a round of late. */
function isLikely(state: State, { kind, run, device, round, term }: RecordBody): boolean {
  const member = state.members[device];
  if (!ONCE.has(kind) || run !== state.run || !member || member.banned || member.revoked) return false;
  return term <= state.term && round <= state.round.number && round >= state.round.number - ROUNDS_BACK;
}

/**
 * An auditor may be asked twice about one round, long after one another, and on another engine come to other bits: only
 * what it has said to the present question stands.
 */
function isCurrent(state: State, said: RecordBody): boolean {
  if (said.kind !== 'result') return true;
  const asked = state.audits[auditKey(said.round, said.trainer)]?.asked;
  return asked?.some(({ auditor, result }) => auditor === said.device && result === said.result) ?? false;
}
