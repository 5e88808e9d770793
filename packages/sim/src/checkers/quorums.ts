/** I4, how many: what counts has its quorum, what has none is void as a whole. Counted from the records themselves. */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import { type Checker, type Finding, first, isKind, type Look, short } from './checker.ts';
import { Roster } from './roster.ts';
import { canonical, hashParts, sha } from './second-opinion.ts';

interface Tally {
  /** Trainers, and whoever stands in for one. */
  seats: readonly DeviceId[];
  places: number;
  witnesses: readonly DeviceId[];
  readonly blinds: Map<DeviceId, Hash>;
  readonly updates: Map<DeviceId, Hash>;
  /** By draw and witness. */
  readonly attests: Map<string, readonly Hash[]>;
  /** By term and elector. */
  readonly headers: Map<string, Hash>;
  readonly seals: Map<string, Hash>;
  included: readonly DeviceId[];
  draw: number;
}

export function quorums(): Checker {
  const roster = new Roster();
  let tally = nothing();
  /** Attested by a quorum and left out: only what is built on a refused state may be. */
  const leftOut = new Set<string>();

  const accountOf = (device: DeviceId) => roster.members.get(device)?.account;
  const isMany = (votes: number, seats: number) => votes * 3 > seats * 2;

  /** More than two thirds; of three, two. */
  const isQuorum = (votes: number, seats: number) => (seats === 3 ? votes >= 2 : isMany(votes, seats));
  /** Whose signatures end the round, before this entry. */
  let electors: readonly DeviceId[] = [];

  /** No quorum waits for whoever is proven at fault, revoked, or has left and abstains; the last elector stays. */
  function countOut(gone: DeviceId): void {
    if (electors.length > 1) electors = electors.filter((device) => device !== gone);
  }

  function listen({ body }: Look): Finding {
    if (isKind(body, 'leave') && body.abstains) countOut(body.device);
    const of = `${body.device} of round ${body.round}`;
    if (isKind(body, 'commit')) {
      if (!tally.seats.includes(body.device)) return `a commit of ${short(of)}, who has no seat`;
      if (tally.blinds.has(body.device)) return `a second commit of ${short(of)}`;
      tally.blinds.set(body.device, body.blind);
    }
    if (isKind(body, 'reveal')) {
      if (hashParts('blind', body.update, body.salt, body.device) !== tally.blinds.get(body.device))
        return `${short(body.device)} reveals in round ${body.round} what it has not committed to`;
      if (tally.updates.has(body.device)) return `a second reveal of ${short(of)}`;
      tally.updates.set(body.device, body.update);
    }
    if (isKind(body, 'attest')) {
      if (!tally.witnesses.includes(body.device)) return `an attestation of ${short(of)}, who is not drawn`;
      tally.attests.set(`${body.draw} ${body.device}`, body.updates);
    }
    if (isKind(body, 'header')) {
      if (!electors.includes(body.device)) return `a header of ${short(of)}, who is no elector`;
      tally.headers.set(`${body.term} ${body.device}`, sha(canonical(body.header)));
    }
    if (isKind(body, 'seal')) {
      if (!electors.includes(body.device)) return `a seal of ${short(of)}, who is no elector`;
      tally.seals.set(`${body.term} ${body.device}`, body.header);
    }
    return undefined;
  }

  function votesFor(trainer: DeviceId): boolean {
    const update = tally.updates.get(trainer);
    const others = tally.witnesses.filter((witness) => accountOf(witness) !== accountOf(trainer));
    const votes = others.filter((witness) => tally.attests.get(`${tally.draw} ${witness}`)?.includes(update!));
    return update !== undefined && isMany(votes.length, others.length);
  }

  function take(event: Event): Finding {
    switch (event.kind) {
      case 'assigned':
        tally = { ...nothing(), seats: event.trainers, places: event.trainers.length, witnesses: event.witnesses };
        return undefined;
      case 'handed-over':
        tally.seats = [...tally.seats, event.standIn];
        return undefined;
      case 'redrawn':
        tally.witnesses = event.witnesses;
        tally.draw = event.draw;
        return undefined;
      case 'included': {
        const unfounded = event.trainers.find((trainer) => !votesFor(trainer));
        if (unfounded) return `${short(unfounded)} is included in round ${event.round} without a quorum of witnesses`;
        for (const trainer of tally.seats)
          if (!event.trainers.includes(trainer) && votesFor(trainer)) leftOut.add(`${event.round} ${trainer}`);
        tally.included = event.trainers;
        tally.draw = 0;
        return undefined;
      }
      case 'finalized': {
        for (const [what, said] of [
          ['signatures', tally.headers],
          ['seals', tally.seals],
        ] as const) {
          const count = electors.filter((device) => said.get(`${event.term} ${device}`) === event.header).length;
          if (!isQuorum(count, electors.length))
            return `round ${event.round} ends with ${count} ${what} of ${electors.length}`;
        }
        if (event.trainers.join() !== tally.included.join())
          return `round ${event.round} ends with others than were included`;
        const wanted = event.trainers.map((trainer) => tally.updates.get(trainer));
        return wanted.join() === event.updates.join() ? undefined : `round ${event.round} ends with other updates`;
      }
      case 'fault':
      case 'revoked':
        countOut(event.device);
        return undefined;
      case 'void':
        return voided(event);
      case 'settled': {
        const { round, device, outcome, segments } = event.settlement;
        if (outcome === 'void' && segments !== 0) return `${short(device)} is paid for the void round ${round}`;
        const isWrong =
          leftOut.delete(`${round} ${device}`) && outcome !== 'tainted' && !roster.members.get(device)!.banned;
        return isWrong
          ? `${short(device)} is left out of round ${round} (${outcome}), though a quorum attested it`
          : undefined;
      }
    }
    return undefined;
  }

  function voided({ round, reason }: Extract<Event, { kind: 'void' }>): Finding {
    const commits = tally.blinds.size;
    if (tally.updates.size === 0 && tally.attests.size === 0 && reason.includes('commit') && 2 * commits > tally.places)
      return `round ${round} is void with ${commits} commits of ${tally.places}`;
    return undefined;
  }

  /** A phase begins only with its quorum. */
  function phase({ state }: Look): Finding {
    const { number, phase } = state.round;
    if (phase === 'open' || phase === 'train') return undefined;
    const { places, blinds } = tally;
    if (2 * blinds.size <= places) return `round ${number} goes on with ${blinds.size} commits of ${places}`;
    if (phase === 'witness' && tally.updates.size === 0) return `round ${number} is witnessed with nothing revealed`;
    return undefined;
  }

  function takeAll(events: readonly Event[]): Finding {
    return first(events, (event) => {
      const found = take(event);
      roster.take(event);
      return found;
    });
  }

  return {
    invariant: 'I4',
    claim: 'below quorum a round is void, above it counts',
    after(look) {
      // A draw that time brought comes before the record that answers it; all else comes after the record.
      const { events, accepted, body } = look;
      const isAnswer = (event: Event) => event.kind === 'redrawn' && 'draw' in body && event.draw === body.draw;
      const before = accepted ? events.findIndex(isAnswer) + 1 : 0;
      const found =
        takeAll(events.slice(0, before)) ??
        (accepted ? listen(look) : undefined) ??
        takeAll(events.slice(before)) ??
        phase(look);
      electors = look.state.electors;
      return found;
    },
  };
}

function nothing(): Tally {
  return {
    seats: [],
    places: 0,
    witnesses: [],
    blinds: new Map(),
    updates: new Map(),
    attests: new Map(),
    headers: new Map(),
    seals: new Map(),
    included: [],
    draw: 0,
  };
}
