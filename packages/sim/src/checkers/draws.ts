/** I4, who: trainers, witnesses, auditors and segments are those that the seeds draw, and the seeds those that were shown. */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import { type Checker, type Finding, first, isKind, type Look, short, type Truth } from './checker.ts';
import { Roster } from './roster.ts';
import { SeatShares } from './seat-shares.ts';
import { hashParts, numbersOf, ranked } from './second-opinion.ts';

/** Witnesses that keep leases at most. */
const MAX_KEEPERS = 16;

type Preimages = Map<DeviceId, Hash>;

export function draws({ charter, run }: Truth): Checker {
  const roster = new Roster();
  const segments = charter.stepsPerRound / charter.stepsPerSegment;
  const shares = new SeatShares();
  let seed = '';
  const attested: Preimages = new Map();
  const signed: Preimages = new Map();
  /** By `round trainer`. */
  const auditSeeds = new Map<string, Hash>();
  /** Audits that the round which has just ended must bring. */
  let owed: string[] = [];
  let drawn: string[] = [];

  const roundSeed = (from: Hash, shown: Preimages) => hashParts('round-seed', run, from, ...flat(shown));

  /** Who waits for a seat, in the order of their turn. */
  let reserves: DeviceId[] = [];

  function forSeats(): DeviceId[] {
    const trusted = roster.trusted();
    const newcomers = roster.ready().filter((device) => !trusted.includes(device));
    const few = ranked(newcomers, 'trainers', seed).slice(0, Math.max(1, trusted.length - 1));
    return [...ranked(trusted, 'trainers', seed), ...few];
  }

  /** Everybody in order; reserves and keepers only where the charter has leases. */
  function assigned(event: Extract<Event, { kind: 'assigned' }>, { state }: Look): Finding {
    const { committee, lease } = charter;
    const order = forSeats();
    reserves = lease ? order.slice(committee.maxTrainers, committee.maxTrainers + lease.reserves) : [];
    const keepers = lease ? ranked(event.witnesses, 'keepers', seed).slice(0, MAX_KEEPERS).sort() : [];
    const isNow = state.round.number === event.round && state.round.phase === 'train';
    return (
      differ(`trainers of round ${event.round}`, event.trainers, order.slice(0, committee.maxTrainers)) ??
      differ(`witnesses of round ${event.round}`, event.witnesses, witnesses(0)) ??
      (isNow ? differ(`keepers of round ${event.round}`, state.round.keepers, keepers) : undefined)
    );
  }

  /** What is left of a seat goes to the first reserve that is still here. */
  function handedOver({ standIn, trainer, round, skip }: Extract<Event, { kind: 'handed-over' }>): Finding {
    const isHere = (device: DeviceId) => roster.members.get(device)!.ready && !roster.members.get(device)!.banned;
    while (reserves.length > 0 && !isHere(reserves[0]!)) reserves.shift();
    const wanted = reserves.shift();
    const leased = shares.before(round, standIn);
    if (skip !== leased || leased >= segments)
      return `${short(standIn)} begins after ${skip} segments of round ${round}; ${leased} of ${segments} were leased`;
    return wanted === standIn
      ? undefined
      : `${short(standIn)} takes over from ${short(trainer)} in round ${round}; the turn is ${wanted && short(wanted)}’s`;
  }

  const witnesses = (draw: number) =>
    ranked(roster.trusted(), 'witnesses', seed, draw).slice(0, charter.committee.maxWitnesses).sort();

  function auditor(auditSeed: Hash, trainer: DeviceId, before: readonly DeviceId[]): DeviceId | undefined {
    const heard = roster.trusted().filter((device) => !roster.members.get(device)!.overruled);
    const ring = ranked(heard, 'auditor-place', auditSeed);
    const from = hashParts('auditor', auditSeed, trainer, before.length);
    const turned = [
      ...ring.filter((device) => hashParts('auditor-place', auditSeed, device) >= from),
      ...ring.filter((device) => hashParts('auditor-place', auditSeed, device) < from),
    ];
    const own = roster.members.get(trainer)!.account;
    return turned.find((device) => roster.members.get(device)!.account !== own && !before.includes(device));
  }

  function audits({ round, trainers }: Extract<Event, { kind: 'finalized' }>): string[] {
    const auditSeed = hashParts('audit-seed', run, round, seed, ...flat(attested));
    return trainers.flatMap((trainer) => {
      auditSeeds.set(`${round} ${trainer}`, auditSeed);
      const { clean, due } = roster.members.get(trainer)!;
      const chance = due ? 1_000_000 : Math.max(charter.audit.floorPpm, Math.floor(1_000_000 / (1 + clean)));
      const number = numbersOf(hashParts('audit', auditSeed, trainer));
      if (number(1_000_000) >= chance) return [];
      const segment = 1 + number(segments - shares.before(round, trainer));
      const by: DeviceId[] = [];
      for (let wanted = chance < 1_000_000 ? 2 : 1; wanted > 0; wanted--) {
        const next = auditor(auditSeed, trainer, by);
        if (next !== undefined) by.push(next);
      }
      return by.map((device) => `${trainer} segment ${segment} by ${device}`);
    });
  }

  function take(event: Event, look: Look): Finding {
    switch (event.kind) {
      case 'assigned': {
        if (event.round === 1) {
          seed = hashParts('round-seed', run, look.entry.id);
          roster.take(event);
        }
        return assigned(event, look);
      }
      case 'handed-over':
        return handedOver(event);
      case 'redrawn':
        return differ(`witnesses of draw ${event.draw}`, event.witnesses, witnesses(event.draw));
      case 'finalized':
        owed = audits(event);
        drawn = [];
        seed = roundSeed(event.header, signed);
        return clear();
      case 'void':
        seed = hashParts('after-void', roundSeed(seed, new Map([...attested, ...signed])));
        return clear();
      case 'audit-drawn':
        return auditDrawn(event);
    }
    return undefined;
  }

  function auditDrawn(event: Extract<Event, { kind: 'audit-drawn' }>): Finding {
    const name = `${event.round} ${event.trainer}`;
    const before = roster.audits.get(name);
    if (before === undefined || drawn.some((line) => line.startsWith(event.trainer))) {
      drawn.push(`${event.trainer} segment ${event.segment} by ${event.auditor}`);
      return undefined;
    }
    const wanted = auditor(auditSeeds.get(name)!, event.trainer, before);
    return wanted === event.auditor
      ? undefined
      : `${short(event.auditor)} is to audit ${short(event.trainer)} again; the draw says ${wanted && short(wanted)}`;
  }

  function clear(): undefined {
    attested.clear();
    signed.clear();
  }

  function listen({ body, accepted, events }: Look): void {
    if (!accepted) return;
    roster.heard(body);
    // A time that passes in the same entry comes first, so a preimage is always of the round that is there when it is heard.
    const isNext = events.some((event) => event.kind === 'void') && body.kind !== 'attest' && body.kind !== 'header';
    if (isNext) return;
    if (isKind(body, 'attest')) attested.set(body.device, body.preimage);
    if (isKind(body, 'header')) signed.set(body.device, body.preimage);
  }

  return {
    invariant: 'I4',
    claim: 'roles are those that the seeds draw',
    after(look) {
      shares.see(look);
      listen(look);
      const finding = first(look.events, (event) => {
        const found = take(event, look);
        if (event.kind !== 'assigned' || event.round > 1) roster.take(event);
        return found;
      });
      if (finding) return finding;
      const wanted = owed;
      const found = drawn;
      owed = [];
      drawn = [];
      return wanted.length + found.length > 0 ? differ('audits', found, wanted) : undefined;
    },
  };
}

function flat(preimages: Preimages): string[] {
  return [...preimages].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
}

function differ(what: string, found: readonly string[], wanted: readonly string[]): Finding {
  const list = (items: readonly string[]) => items.map(short).join(' ') || 'nobody';
  return found.join() === wanted.join() ? undefined : `${what}: ${list(found)}; the seed draws ${list(wanted)}`;
}
