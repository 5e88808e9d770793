/**
 * Ways of not working, as scripted members: which segments a trainer fakes, what it says when it is asked to open, and what
 * it swears to as an auditor. Each stands for adversaries of `packages/adversaries` that look the same to the reducer.
 */
import { hashOf } from '@folkmoot/core';
import { auditPpm, type Duty } from '@folkmoot/protocol';
import { resultOf, stateRoot } from '@folkmoot/records';
import type { Behaviour, ScriptedMember, ScriptedRun } from '../../packages/protocol/src/scripted.test-support.ts';
import { bestReply, type Reply } from './best-reply.ts';
import type { Scheme } from './expected-profit.ts';

type TrainDuty = Extract<Duty, { kind: 'train' }>;

/** What a trainer makes of a round: the segments that it fakes (from 1), or a false encoding after honest work. */
export type Making = { readonly faked: readonly number[]; readonly encodes: boolean } | 'absent';

export interface Strategy {
  readonly name: string;
  /** The adversaries that it stands for. */
  readonly stands: string;
  /** How many of `members` play it. */
  readonly players: number;
  readonly members: number;
  make(round: Round): Making;
  /** Opens what it has faked. */
  readonly opens: boolean;
  /** Hands over the bytes of what it opens. */
  readonly serves?: boolean;
  readonly reveals?: (round: number) => boolean;
  /** What it finds as an auditor. */
  readonly audits: 'honestly' | 'for friends' | 'lazily' | 'falsely';
  /** Joins when the run is under way. */
  readonly newcomer?: boolean;
  /** Honest for long: is watched for long. */
  readonly patient?: boolean;
  /** Where there is a formula: what it saves and how it is found; `make` says when. */
  readonly formula?: { readonly saves: number; readonly found: number };
}

/** What a strategist knows when it chooses. */
export interface Round {
  readonly number: number;
  /** Probability of being audited, parts per million. */
  readonly ppm: number;
  readonly floorPpm: number;
  readonly segments: number;
  /** Rounds of pay that are locked. */
  readonly locked: number;
}

const HONEST: Making = { faked: [], encodes: true };
const all = ({ segments }: Round): Making => ({
  faked: Array.from({ length: segments }, (_, i) => i + 1),
  encodes: true,
});
const base = { players: 1, members: 5, opens: true, audits: 'honestly' } as const;
const patient = { ...base, patient: true } as const;
const whenRare = (making: (round: Round) => Making) => (round: Round) =>
  round.ppm <= round.floorPpm ? making(round) : HONEST;

let best: Reply | undefined;
/** Idles exactly when value iteration says that it pays for three of nine in league. */
const atTheBestMoments = (round: Round): Making => {
  best ??= bestReply({ floor: 0.05, vestingRounds: 20, cost: 'all locked', finds: 27 / 28 });
  return best.idle(Math.round(1_000_000 / round.ppm) - 1, round.locked) ? all(round) : HONEST;
};

export const STRATEGIES: readonly Strategy[] = [
  { ...base, name: 'honest', stands: 'nobody: the yardstick', make: () => HONEST },
  { ...base, name: 'absent', stands: 'idler', make: () => 'absent' },
  {
    ...base,
    name: 'nothing worked',
    stands: 'free-rider, zeros, copycat, replayer, precomputer',
    formula: { saves: 1, found: 1 },
    make: all,
  },
  {
    ...patient,
    name: 'one segment left out',
    stands: 'corner-cutter',
    formula: { saves: 1 / 4, found: 1 / 4 },
    make: ({ number, segments }) => ({ faked: [1 + (number % segments)], encodes: true }),
  },
  {
    ...patient,
    name: 'false end state',
    stands: 'back-door',
    formula: { saves: 1 / 4, found: 1 / 4 },
    make: ({ segments }) => ({ faked: [segments], encodes: true }),
  },
  {
    ...base,
    name: 'false encoding',
    stands: 'poisoner, sign-flipper, forged-feedback',
    formula: { saves: 0, found: 1 },
    make: () => ({ faked: [], encodes: false }),
  },
  {
    ...patient,
    name: 'false encoding when audits are rare',
    stands: 'a patient poisoner',
    formula: { saves: 0, found: 1 },
    make: whenRare(() => ({ faked: [], encodes: false })),
  },
  {
    ...base,
    name: 'every other reveal',
    stands: 'late-revealer',
    make: () => HONEST,
    reveals: (round) => round % 2 === 0,
  },
  { ...base, name: 'bytes withheld', stands: 'withholder, memory-bomb', make: () => HONEST, serves: false },
  { ...base, name: 'nothing worked, never opened', stands: 'leaver', make: all, opens: false },
  {
    ...patient,
    name: 'honest until audits are at the floor, then nothing',
    stands: 'sleeper',
    formula: { saves: 1, found: 1 },
    make: whenRare(all),
  },
  {
    ...patient,
    name: 'the same, one segment left out',
    stands: 'a careful corner-cutter',
    formula: { saves: 1 / 4, found: 1 / 4 },
    make: whenRare(() => ({ faked: [1], encodes: true })),
  },
  { ...patient, name: 'the same, never opened', stands: 'a sleeper that leaves', make: whenRare(all), opens: false },
  {
    ...patient,
    name: 'honest until audits are below one in four, then nothing',
    stands: 'an impatient sleeper',
    formula: { saves: 1, found: 1 },
    make: (round) => (round.ppm <= 250_000 ? all(round) : HONEST),
  },
  {
    ...patient,
    name: 'nothing while little is locked',
    stands: 'whoever has nothing to lose',
    formula: { saves: 1, found: 1 },
    make: (round) => (round.locked < 5 && round.ppm < 1_000_000 ? all(round) : HONEST),
  },
  { ...base, name: 'audits nothing, finds all well', stands: 'lazy-auditor', make: () => HONEST, audits: 'lazily' },
  { ...base, name: 'finds everything wrong', stands: 'false-accuser', make: () => HONEST, audits: 'falsely' },
  { ...base, name: 'a pair of five that never works', stands: 'pair', players: 2, make: all, audits: 'for friends' },
  {
    ...patient,
    name: 'a pair of five, asleep',
    stands: 'a patient pair',
    players: 2,
    formula: { saves: 1, found: 1 },
    make: whenRare(all),
    audits: 'for friends',
  },
  {
    ...patient,
    name: 'three of nine, asleep',
    stands: 'a patient swarm of founders',
    players: 3,
    members: 9,
    formula: { saves: 1, found: 27 / 28 },
    make: whenRare(all),
    audits: 'for friends',
  },
  {
    ...patient,
    name: 'three of nine, idle at the best moments',
    stands: 'the best that a swarm of founders can do',
    players: 3,
    members: 9,
    formula: { saves: 1, found: 27 / 28 },
    make: atTheBestMoments,
    audits: 'for friends',
  },
  {
    ...base,
    name: 'three of nine find everything wrong',
    stands: 'false-accusers in league',
    players: 3,
    members: 9,
    make: () => HONEST,
    audits: 'falsely',
  },
  {
    ...base,
    name: 'four newcomers beside five',
    stands: 'sybil-swarm',
    players: 4,
    members: 9,
    make: all,
    audits: 'for friends',
    newcomer: true,
  },
];

/** The same as a scheme of the formula; `undefined` where there is none. */
export function schemeOf({ formula, make }: Strategy, segments: number): Scheme | undefined {
  if (!formula) return undefined;
  const cheats = (clean: number, locked: number) => {
    const ppm = Math.max(50_000, Math.floor(1_000_000 / (1 + clean)));
    const making = make({ number: 1, ppm, floorPpm: 50_000, segments, locked });
    return making === 'absent' || making.faked.length > 0 || !making.encodes;
  };
  return { ...formula, cheats };
}

/** Plays `strategy` in a run; counts the rounds that were worked and those that were assigned. */
export class Player {
  readonly member: ScriptedMember;
  /** Honest work, in rounds, by round. */
  readonly worked = new Map<number, number>();
  /** Segments re-executed for others. */
  audited = 0;
  readonly #strategy: Strategy;
  readonly #friends: ReadonlySet<ScriptedMember>;
  readonly #fakes = new Map<number, boolean>();

  constructor(member: ScriptedMember, strategy: Strategy, friends: ReadonlySet<ScriptedMember>) {
    this.member = member;
    this.#strategy = strategy;
    this.#friends = friends;
    member.behaviour = (_, duty, run) => this.#play(duty, run);
  }

  #play(duty: Duty, run: ScriptedRun): ReturnType<Behaviour> {
    switch (duty.kind) {
      case 'train':
        return this.#train(duty, run);
      case 'reveal':
        return (this.#strategy.reveals?.(duty.round) ?? true) ? undefined : 'silent';
      case 'open':
      case 'close':
        return this.#strategy.opens || !this.#fakes.get(duty.audit.round) ? undefined : 'silent';
      case 'audit':
      case 'judge':
        return this.#audit(duty, run);
      default:
        return undefined;
    }
  }

  #train(duty: TrainDuty, run: ScriptedRun): 'done' | 'silent' {
    const making = this.#strategy.make(roundOf(run, this.member, duty));
    if (making === 'absent') return 'silent';
    this.worked.set(duty.round, (run.segments - making.faked.length) / run.segments);
    this.#fakes.set(duty.round, making.faked.length > 0 || !making.encodes);
    const place = { base: duty.base, seed: duty.seed, ...duty.seat };
    const states = Array.from({ length: run.segments - place.skip }, (_, i) =>
      making.faked.includes(i + 1)
        ? { params: hashOf('faked', this.member.id, duty.round, i), moments: hashOf('faked moments', duty.round, i) }
        : run.honestState(place, i + 1),
    );
    const update = making.encodes ? undefined : hashOf('poison', this.member.id, duty.round);
    run.commit(this.member, duty, { states, ...(update && { update }) });
    return 'done';
  }

  #audit(duty: Extract<Duty, { kind: 'audit' | 'judge' }>, run: ScriptedRun): ReturnType<Behaviour> {
    const { audit } = duty;
    const friend = [...this.#friends].find(({ id }) => id === audit.trainer);
    const { audits } = this.#strategy;
    const isHonest = audits === 'honestly' || (audits === 'for friends' && !friend) || (audits === 'falsely' && friend);
    if (isHonest) {
      if (duty.kind === 'audit') this.audited++;
      return undefined;
    }
    const claim = audits === 'for friends' ? friend!.traces.get(audit.round)!.states[audit.segment - 1]! : undefined;
    const root = claim ? stateRoot(claim) : hashOf('invented', this.member.id, audit.round, audit.trainer);
    const { trainer, segment, round, base } = audit;
    const place = { round, base };
    const salt = hashOf('salt of a liar');
    if (duty.kind === 'audit') {
      run.say(this.member, 'result', { trainer, segment, result: resultOf(root, salt, this.member.id) }, place);
      return 'done';
    }
    const finding = claim
      ? ({ outcome: 'match', distancePpm: 0, tensor: '' } as const)
      : audits === 'lazily'
        ? ({ outcome: 'within', distancePpm: 1, tensor: 'lazy' } as const)
        : ({ outcome: 'mismatch', distancePpm: 1_000_000, tensor: 'all' } as const);
    const said = { trainer, segment, part: 'segment', ...finding, stateRoot: root, salt } as const;
    run.say(this.member, 'verdict', said, place);
    return 'done';
  }
}

/** An honest member, for whom the bytes of `withheld` trainers cannot be had. */
export function honest(withheld: ReadonlySet<string>): Behaviour {
  return (member, duty, run) => {
    if (duty.kind !== 'audit' || !withheld.has(duty.audit.trainer)) return undefined;
    const { trainer, segment, round, base } = duty.audit;
    const nothing = { part: 'segment', stateRoot: null, salt: null, distancePpm: 0, tensor: '' } as const;
    run.say(member, 'verdict', { trainer, segment, outcome: 'unavailable', ...nothing }, { round, base });
    return 'done';
  };
}

function roundOf(run: ScriptedRun, { id }: ScriptedMember, duty: TrainDuty): Round {
  const { charter, members, ledger } = run.state;
  const { floorPpm } = charter.audit;
  const locks = ledger.accounts[members[id]!.account]!.locks.length;
  return {
    number: duty.round,
    ppm: auditPpm(floorPpm, members[id]!),
    floorPpm,
    segments: run.segments,
    locked: locks,
  };
}
