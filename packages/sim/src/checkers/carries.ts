/** I6, carries: a trainer starts from what it has committed before and from nothing else; on refused work nothing is built. */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import { type Checker, type Finding, first, isKind, type Look, short, type Truth } from './checker.ts';

interface Carried {
  moments: Hash;
  error: Hash;
  /** Rounds since zeros, the last one last. */
  chain: number[];
}

const PAID = new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced']);
/** Outcomes of an audit that leave the state as it is. */
const LEFT = new Set([...PAID, 'disputed']);

export function carries({ charter }: Truth): Checker {
  const carried = new Map<DeviceId, Carried>();
  /** What each seat started from, by `round device`. */
  const seats = new Map<string, Carried>();
  const commits = new Map<string, { moments: Hash; error: Hash }>();
  const refused = new Set<string>();
  const audits = new Set<string>();
  const zeros = (): Carried => ({ moments: charter.zeroMoments, error: charter.zeroError, chain: [] });
  const of = (device: DeviceId) => carried.get(device) ?? zeros();

  function take(event: Event): Finding {
    switch (event.kind) {
      case 'assigned':
        for (const device of event.trainers) seats.set(`${event.round} ${device}`, { ...of(device) });
        return undefined;
      case 'handed-over':
        seats.set(`${event.round} ${event.standIn}`, { ...of(event.standIn) });
        return undefined;
      case 'audit-drawn':
        audits.add(`${event.round} ${event.trainer}`);
        return undefined;
      case 'finalized':
        for (const device of event.trainers) goOn(event.round, device);
        return undefined;
      case 'settled':
        return settle(event.settlement);
      case 'amended':
        return amend(event);
    }
    return undefined;
  }

  function goOn(round: number, device: DeviceId): void {
    const start = seats.get(`${round} ${device}`)!;
    if (isTainted(device, start)) return;
    const { moments, error } = commits.get(`${round} ${device}`)!;
    carried.set(device, { moments, error, chain: [...start.chain, round] });
  }

  function settle({ round, device, outcome }: Extract<Event, { kind: 'settled' }>['settlement']): Finding {
    const name = `${round} ${device}`;
    const start = seats.get(name)!;
    const says = `${short(device)} ends round ${round} ${outcome}`;
    if (PAID.has(outcome) && isTainted(device, start)) return `${says}, though it is built on a refused state`;
    if (outcome === 'tainted' && !isTainted(device, start))
      return `${says}, and no round that it is built on was refused`;
    // Left out without an audit: it goes on from what it carried before.
    if (!audits.delete(name)) return undefined;
    if (LEFT.has(outcome)) return undefined;
    refused.add(name);
    carried.set(device, zeros());
    return undefined;
  }

  /** A refusal that a dispute takes back taints nothing any more; a state that one proves wrong is refused. */
  function amend({ settlement: { round, device, outcome }, former }: Extract<Event, { kind: 'amended' }>): undefined {
    if (outcome === 'upheld') refused.delete(`${round} ${device}`);
    else if (LEFT.has(former)) {
      refused.add(`${round} ${device}`);
      carried.set(device, zeros());
    }
  }

  const isTainted = (device: DeviceId, { chain }: Carried) => chain.some((round) => refused.has(`${round} ${device}`));

  function commit({ body, accepted }: Look): Finding {
    if (!accepted) return undefined;
    if (isKind(body, 'ready') && body.reset) carried.set(body.device, zeros());
    if (!isKind(body, 'commit')) return undefined;
    const name = `${body.round} ${body.device}`;
    const start = seats.get(name);
    commits.set(name, { moments: body.momentsOut, error: body.errorOut });
    if (!start) return undefined;
    if (body.momentsIn !== start.moments)
      return `${short(body.device)} starts round ${body.round} from moments that it did not carry`;
    return body.errorIn === start.error
      ? undefined
      : `${short(body.device)} starts round ${body.round} from error memory that it did not carry`;
  }

  return {
    invariant: 'I6',
    claim: 'work goes on from work that stands',
    after: (look) => commit(look) ?? first(look.events, take),
  };
}
