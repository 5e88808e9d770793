/**
 * A run without network, tensors or time of its own: a sequencer and members who do their duties at once, with made-up
 * states. Tests bend single steps and look at what the log makes of it.
 */
import {
  accountKey,
  type DeviceId,
  type DeviceKey,
  deviceKey,
  type Hash,
  hashOf,
  sha256,
  utf8,
  vouchForDevice,
} from '@folkmoot/core';
import type { Share } from '@folkmoot/ledger';
import {
  blindOf,
  type Charter,
  type Entry,
  encodeLink,
  leaseMark,
  openLink,
  type RecordBody,
  type RecordKind,
  recordBytes,
  recordId,
  resultOf,
  rowsId,
  type Said,
  SeedChain,
  type StateIds,
  segmentLink,
  segmentsAfter,
  signEntry,
  signRecord,
  startLink,
  stateRoot,
  type Trace,
  traceRoot,
  type VerifiedRecord,
} from '@folkmoot/records';
import { CHARTER } from '@folkmoot/records/test-support';
import {
  type Audit,
  apply,
  check,
  type Duty,
  duties,
  type Event,
  initialState,
  nextDeadline,
  type State,
} from './index.ts';

const name = (text: string) => sha256(utf8(text));

/** A small charter: two segments a round; timing in plain seconds. */
export function testCharter(change: Partial<Charter> = {}): Charter {
  return {
    ...CHARTER,
    stepsPerRound: 4,
    stepsPerSegment: 2,
    timing: {
      openMs: 1000,
      trainMs: 60_000,
      revealMs: 10_000,
      witnessMs: 10_000,
      finalizeMs: 10_000,
      graceMs: 2000,
      openTraceMs: 5000,
      auditMs: 20_000,
    },
    credit: { perSegment: 10, vestingRounds: 20 },
    ...change,
  };
}

/** What work depends on. */
interface WorkPlace {
  base: Hash;
  seed: Hash;
  seat: number;
  skip: number;
  carryIn: { moments: Hash };
}

/** What a scripted member does with a duty: nothing (`'silent'`), something else (`'done'`), or what it should. */
export type Behaviour = (member: ScriptedMember, duty: Duty, run: ScriptedRun) => 'silent' | 'done' | undefined;

/** Chains are long: the same for the same member of every run, and one for many where there are thousands. */
const chains = new Map<number, SeedChain>();
const CHAINS = 250;

/** A secret for every index below 2^32. */
function secretOf(index: number): Uint8Array {
  const secret = new Uint8Array(32).fill(index % 251);
  if (index > 250) new DataView(secret.buffer).setUint32(0, index);
  return secret;
}

export class ScriptedMember {
  readonly index: number;
  readonly key: DeviceKey;
  readonly secret: Hash;
  readonly chain: SeedChain;
  readonly traces = new Map<number, Trace & { update: Hash; salt: Hash }>();
  seq = 0;
  behaviour: Behaviour;

  /** `index` from 1; 1 is the sequencer's. */
  constructor(index: number, behaviour: Behaviour = () => undefined) {
    this.index = index;
    this.key = deviceKey(secretOf(index));
    this.secret = name(`chain ${index}`);
    const chain = index % CHAINS || index;
    this.chain = chains.get(chain) ?? new SeedChain(name(`chain ${chain}`));
    chains.set(chain, this.chain);
    this.behaviour = behaviour;
  }
  get id(): DeviceId {
    return this.key.id;
  }
}

export class ScriptedRun {
  readonly state: State;
  readonly events: Event[] = [];
  readonly members: ScriptedMember[];
  readonly records: VerifiedRecord[] = [];
  readonly entries: Entry[] = [];
  /** Looks at every entry's events. */
  watch: (events: readonly Event[]) => void = () => {};
  nowMs = 1_000_000;
  readonly #isSigned: boolean;

  /** Without signatures a run is told five times as fast; `apply` looks at none. */
  constructor(charter: Charter, members: ScriptedMember[], isSigned = true, shares?: readonly Share[]) {
    this.#isSigned = isSigned;
    this.state = initialState(charter, shares);
    this.members = members;
  }

  /** Signs and appends; returns the reason where the reducer refused. */
  say<K extends RecordKind>(
    member: ScriptedMember,
    kind: K,
    said: Said<K>,
    place?: { round: number; base: Hash },
  ): string | null {
    return this.append(this.sign(member, kind, said, place));
  }

  sign<K extends RecordKind>(
    member: ScriptedMember,
    kind: K,
    said: Said<K>,
    place?: { round: number; base: Hash },
  ): VerifiedRecord {
    const { head, round, base, run } = this.state;
    const { round: at, base: on } = place ?? { round: round.number, base };
    const common = {
      run,
      round: at,
      base: on,
      device: member.id,
      seq: ++member.seq,
      seen: { index: head.index, id: head.id },
      term: this.state.term,
    };
    const body = { kind, ...common, ...said } as unknown as RecordBody;
    return this.#isSigned ? signRecord(body, member.key) : ({ id: recordId(body), body, signature: '' } as never);
  }

  append(record: VerifiedRecord): string | null {
    const { head } = this.state;
    const reason = check(this.state, record);
    const place = { index: head.index + 1, prev: head.id, atMs: this.nowMs, term: this.state.term };
    const entry = this.#isSigned
      ? signEntry(place, record, this.sequencer.key)
      : { id: hashOf('entry', head.id, record.id), ...place, record, signature: '' };
    const events = apply(this.state, entry);
    this.events.push(...events);
    this.records.push(record);
    this.entries.push(entry);
    this.watch(events);
    return reason;
  }

  join(member: ScriptedMember, account = member.index + 100): void {
    const key = accountKey(secretOf(account));
    this.say(member, 'join', {
      account: key.id,
      vouch: vouchForDevice(key, member.id, this.state.run),
      name: `m${member.index}`,
    });
    this.ready(member);
  }

  ready(member: ScriptedMember, reset = false): string | null {
    const tip = member.chain.tip(this.shown(member));
    return this.say(member, 'ready', { tip, engine: 'scripted', reset });
  }

  /** Lets everybody act, and time pass when nobody does, until `done` or `maxSteps`. Returns whether it was done. */
  run(done: () => boolean, maxSteps = 2000): boolean {
    for (let step = 0; step < maxSteps; step++) {
      if (done()) return true;
      if (this.members.some((member) => this.act(member))) continue;
      if (!this.pass()) return false;
    }
    return false;
  }

  /** Lets time pass until something happens by itself. Returns whether anything waits. */
  pass(): boolean {
    const deadline = nextDeadline(this.state);
    if (deadline === undefined) return false;
    this.nowMs = Math.max(this.nowMs, deadline);
    this.tick();
    return true;
  }

  tick(): void {
    this.say(this.sequencer, 'tick', {});
  }

  get sequencer(): ScriptedMember {
    return this.members.find((member) => member.id === this.state.sequencer) ?? new ScriptedMember(1);
  }

  /** Does the first duty that the member's behaviour does not skip. */
  act(member: ScriptedMember): boolean {
    for (const duty of duties(this.state, member.id)) {
      const answer = member.behaviour(member, duty, this);
      // Disputes are nothing that scripted members do by themselves.
      if (answer === 'silent' || (answer === undefined && 'found' in duty)) continue;
      this.nowMs += 50;
      if (answer === undefined) this.perform(member, duty);
      return true;
    }
    return false;
  }

  perform(member: ScriptedMember, duty: Duty): string | null {
    const place = 'audit' in duty ? { round: duty.audit.round, base: duty.audit.base } : undefined;
    switch (duty.kind) {
      case 'ready':
        return this.ready(member);
      case 'train':
        return this.commit(member, duty);
      case 'answer':
        return this.say(member, 'alive', { seat: duty.seat });
      case 'reveal': {
        const { update, salt } = member.traces.get(duty.round)!;
        return this.say(member, 'reveal', { update, updateBytes: 1000, salt });
      }
      case 'attest':
        return this.say(member, 'attest', {
          draw: duty.draw,
          updates: duty.updates.map(({ update }) => update),
          preimage: this.preimage(member),
        });
      case 'finalize': {
        const outcome = hashOf('aggregate', ...duty.updates);
        const header = { ...duty.expected, aggregate: outcome, nextBase: hashOf('next', outcome) };
        return this.say(member, 'header', { header, preimage: this.preimage(member) });
      }
      case 'seal':
        return this.say(member, 'seal', { header: duty.header, prev: duty.prev });
      case 'open':
        return this.say(member, 'open', openingOf(member, duty.audit), place);
      case 'close':
        return this.say(member, 'close', closingOf(member, duty.audit), place);
      case 'audit': {
        const { trainer, segment } = duty.audit;
        const result = resultOf(stateRoot(this.honestState(duty.audit, segment)), SALT, member.id);
        return this.say(member, 'result', { trainer, segment, result }, place);
      }
      case 'judge':
        return this.say(member, 'verdict', this.verdictOf(duty.audit), place);
      case 'score':
        return this.say(
          member,
          'score',
          { scores: [{ trainer: duty.subject.trainer, help: 100_000 }] },
          { round: duty.round, base: duty.base },
        );
      case 'reproduce': {
        const { round, base, trainer, segment, mark } = duty.reproduction;
        const link = this.linkOf(duty.reproduction, segment);
        const said = { trainer, segment, link: leaseMark(link) === mark ? link : null };
        return this.say(member, 'reproduced', said, { round, base });
      }
      default:
        return null;
    }
  }

  /** The link before the one that the log knows: a refused record has shown nothing. */
  preimage(member: ScriptedMember): Hash {
    return member.chain.tip(this.shown(member) + 1);
  }

  shown(member: ScriptedMember): number {
    return member.chain.shownAt(this.state.members[member.id]!.tip) ?? 0;
  }

  get segments(): number {
    return this.state.charter.stepsPerRound / this.state.charter.stepsPerSegment;
  }

  /** The state that honest work would reach: here, a hash of everything that work depends on. */
  honestState(place: WorkPlace, segment: number): StateIds {
    const { base, seed, seat, skip, carryIn } = place;
    const work = hashOf('work', base, seed, seat, carryIn.moments, skip + segment);
    return { params: hashOf('params', work), moments: hashOf('moments', work) };
  }

  /** Link `segment` of the trace of honest work. */
  linkOf(place: WorkPlace, segment: number): Hash {
    let link = startLink(place.base, place.seed, place.seat, place.carryIn.moments);
    for (let at = 1; at <= segment; at++)
      link = segmentLink(link, this.honestState(place, at), rowsId(place.seed, place.seat, place.skip + at));
    return link;
  }

  commit(
    member: ScriptedMember,
    duty: Extract<Duty, { kind: 'train' }>,
    forge: { states?: StateIds[]; update?: Hash } = {},
  ): string | null {
    const { base, seed, seat, round } = duty;
    const place = { base, seed, ...seat };
    const left = segmentsAfter(this.state.charter, seat);
    const states = forge.states ?? Array.from({ length: left }, (_, i) => this.honestState(place, i + 1));
    const update = forge.update ?? hashOf('update', states.at(-1)!.params, seat.carryIn.error);
    const errorOut = hashOf('error', update);
    const links = [startLink(base, seed, seat.seat, seat.carryIn.moments)];
    for (const [i, state] of states.entries())
      links.push(segmentLink(links[i]!, state, rowsId(seed, seat.seat, seat.skip + i + 1)));
    links.push(encodeLink(links.at(-1)!, update, seat.carryIn.error, errorOut));
    const trace = {
      links,
      salts: links.map((_, i) => hashOf('salt', member.secret, round, i)),
      states,
      update,
      salt: SALT,
    };
    member.traces.set(round, trace);
    return this.say(member, 'commit', {
      seat: seat.seat,
      traceRoot: traceRoot(trace),
      blind: blindOf(update, SALT, member.id),
      momentsIn: seat.carryIn.moments,
      momentsOut: states.at(-1)!.moments,
      errorIn: seat.carryIn.error,
      errorOut,
      engine: 'scripted',
    });
  }

  verdictOf(audit: Audit): Said<'verdict'> {
    const { trainer, segment, closed } = audit;
    const mine = stateRoot(this.honestState(audit, segment));
    const equal = mine === stateRoot({ params: closed!.endParams, moments: closed!.endMoments });
    const encoded = audit.update === hashOf('update', closed!.lastParams, audit.carryIn.error);
    const outcome = equal && encoded ? 'match' : 'mismatch';
    return {
      trainer,
      segment,
      outcome,
      part: equal ? 'encode' : 'segment',
      stateRoot: mine,
      salt: SALT,
      distancePpm: equal ? 0 : 1_000_000,
      tensor: equal ? '' : 't',
    };
  }

  settlements() {
    return this.events.flatMap((event) => (event.kind === 'settled' ? [event.settlement] : []));
  }
}

export function openingOf(member: ScriptedMember, audit: Audit): Said<'open'> {
  const trace = member.traces.get(audit.round)!;
  const at = audit.segment - 1;
  const state = at === 0 ? { params: audit.base, moments: audit.carryIn.moments } : trace.states[at - 1]!;
  return {
    segment: audit.segment,
    start: openLink(trace, at),
    ...state,
    previous: at === 0 ? null : trace.links[at - 1]!,
  };
}

export function closingOf(member: ScriptedMember, audit: Audit): Said<'close'> {
  const trace = member.traces.get(audit.round)!;
  const segments = trace.states.length;
  const end = trace.states[audit.segment - 1]!;
  return {
    segment: audit.segment,
    end: openLink(trace, audit.segment),
    endParams: end.params,
    endMoments: end.moments,
    last: openLink(trace, segments),
    lastParams: trace.states[segments - 1]!.params,
    lastPrevious: trace.links[segments - 1]!,
    encode: openLink(trace, segments + 1),
  };
}

export const recordText = (record: VerifiedRecord): string => new TextDecoder().decode(recordBytes(record));

const SALT = name('salt');
