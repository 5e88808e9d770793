/**
 * I6, the other side: what is locked is lost by proof alone, and is lost wherever there is one. Proof is two thirds of a jury that
 * found what no honest engine makes, an operator that judges have run, or a contradiction. Juries are counted by hand.
 */
import type { Event } from '@folkmoot/protocol';
import type { RecordOf } from '@folkmoot/records';
import { type Checker, type Finding, isKind, type Look, short, type Truth } from './checker.ts';

/** Everybody who was asked about one audit, in one sitting, and what they found. */
interface Sitting {
  readonly entry: number;
  readonly asked: Set<string>;
  readonly found: RecordOf<'verdict'>[];
}

const GRAVE_TOLERANCES = 100;

export function convictions({ charter }: Truth): Checker {
  const { kind: engine, tolerancePpm } = charter.engine;
  const sittings = new Map<string, Sitting>();

  const isGrave = ({ outcome, part, distancePpm }: RecordOf<'verdict'>) =>
    outcome === 'mismatch' &&
    (engine === 'exact' || part === 'encode' || distancePpm >= GRAVE_TOLERANCES * tolerancePpm);

  function verdictOn(key: string): { grave: number; asked: number; convicts: boolean } {
    const { asked, found } = sittings.get(key) ?? { asked: new Set(), found: [] };
    const grave = found.filter(isGrave).length;
    return { grave, asked: asked.size, convicts: grave >= 2 && 3 * grave > 2 * asked.size };
  }

  function listen(event: Event, { entry, accepted, body }: Look): void {
    if (event.kind === 'audit-drawn' || event.kind === 'asked-again') {
      const key = `${event.round} ${event.trainer}`;
      const sitting = sittings.get(key);
      // Whoever is asked once more is asked for the next sitting: a standing audit begins anew after each round.
      const isNew = !sitting || (event.kind === 'asked-again' && sitting.asked.has(event.auditor));
      const present = isNew ? { entry: entry.index, asked: new Set<string>(), found: [] } : sitting;
      present.asked.add(event.auditor);
      sittings.set(key, present);
    }
    if (event.kind === 'verdict' && accepted && isKind(body, 'verdict'))
      sittings.get(`${event.round} ${event.trainer}`)?.found.push(body);
  }

  /** What this entry says of a device and a round. */
  function judge(events: readonly Event[]): Finding {
    const lost = new Set(
      events.flatMap((event) => (event.kind === 'forfeited' ? `${event.round} ${event.device}` : [])),
    );
    const disputed = events.flatMap((event) => {
      if (event.kind !== 'dispute-ended') return [];
      if (event.standing === 'proven') return `${event.round} ${event.trainer}`;
      return event.standing === 'refuted' && engine === 'exact' ? `${event.round} ${event.accuser}` : [];
    });
    for (const key of lost) {
      const { grave, asked, convicts } = verdictOn(key);
      if (convicts || disputed.includes(key)) continue;
      return `${shown(key)} loses what is locked by the grave findings of ${grave} of ${asked}`;
    }
    for (const key of disputed)
      if (!lost.has(key)) return `${shown(key)} is proven wrong by an operator and loses nothing`;
    for (const event of events) {
      const isRefused = event.kind === 'settled' && event.settlement.outcome === 'mismatch';
      const key = isRefused ? `${event.settlement.round} ${event.settlement.device}` : thawed(event);
      if (key === undefined) continue;
      const { grave, asked, convicts } = verdictOn(key);
      if (convicts && !lost.has(key))
        return `${shown(key)} is found grave by ${grave} of ${asked} and loses nothing of what is locked`;
      if (event.kind === 'thawed') sittings.delete(key);
    }
    return undefined;
  }

  return {
    invariant: 'I6',
    claim: 'what is locked is lost by proof alone, and always by proof',
    after(look) {
      for (const event of look.events) listen(event, look);
      return judge(look.events);
    },
  };
}

function thawed(event: Event): string | undefined {
  return event.kind === 'thawed' ? `${event.round} ${event.device}` : undefined;
}

function shown(key: string): string {
  const [round, device] = key.split(' ');
  return `${short(device!)} in round ${round}`;
}
