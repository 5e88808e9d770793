/** I5: whoever is honest is never punished, whatever the network and the machine do to it. */
import type { Event } from '@folkmoot/protocol';
import { type Checker, type Finding, first, short, type Truth } from './checker.ts';

const PAID = new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced']);
/** What only auditors' findings bring about: no delay and no crash can. */
const ACCUSED = new Set(['mismatch', 'disputed']);
/** An audit that found nothing to hold against the work, and still refused it. */
const REFUSED = new Set(['not-opened', 'unavailable']);

export function honest(truth: Truth): Checker {
  /** Honest members with a refused round: what is built on it may be tainted. */
  const refused = new Set<string>();

  function take(event: Event): Finding {
    if (event.kind === 'fault' && truth.hasForgotten(event.device)) return undefined;
    if (event.kind === 'fault' || event.kind === 'forfeited')
      return truth.isHonest(event.device)
        ? `${short(event.device)} is honest and loses credit: ${event.kind}`
        : undefined;
    if (event.kind === 'dispute-ended') {
      const { standing, trainer, accuser, round } = event;
      if (standing === 'proven' && truth.isHonest(trainer))
        return `${short(trainer)} is honest and loses the dispute about round ${round}`;
      return standing === 'refuted' && truth.isHonest(accuser)
        ? `${short(accuser)} is honest and its finding about round ${round} is refuted`
        : undefined;
    }
    if (event.kind !== 'settled') return undefined;
    const { device, round, outcome, segments } = event.settlement;
    if (!truth.isHonest(device)) return undefined;
    const says = `${short(device)} is honest and ends round ${round} ${outcome}`;
    if (outcome === 'mismatch') return says;
    if (truth.allHonest && ACCUSED.has(outcome)) return says;
    if (REFUSED.has(outcome)) refused.add(device);
    if (outcome === 'tainted' && !refused.has(device)) return `${says}, and no audit had refused it before`;
    if (PAID.has(outcome) && segments === 0) return `${says} and is paid nothing`;
    const isCalm = truth.calmFrom !== undefined && round >= truth.calmFrom;
    return isCalm && truth.allHonest && !PAID.has(outcome) ? `${says} in a healed world` : undefined;
  }

  return {
    invariant: 'I5',
    claim: 'nobody honest is punished',
    after: ({ events }) => first(events, take),
  };
}
