/**
 * A crowd of scripted members: they join as fast as the rules allow; in every round a fifth of the trainers vanishes, and
 * one in a hundred does not show its trace when an audit asks.
 */
import { below, type DeviceId, hashOf, SeededRandom } from '@folkmoot/core';
import { RUN_PRESETS } from '@folkmoot/node';
import { canLapse } from '@folkmoot/protocol';
import { type Behaviour, ScriptedMember, ScriptedRun, testCharter } from '@folkmoot/protocol/test-support';
import type { Charter } from '@folkmoot/records';

const VANISHING_PERCENT = 20;
const SECRETIVE_PERCENT = 1;
/** Newcomers that a round takes at most. */
const JOINS_IN_ROUND = 256;
/** What keepers name in one record at most. */
const NAMED_AT_ONCE = 64;

/** Scripted members act one after the other, 50 ms each: nobody is late for that. */
const PATIENT = {
  ...testCharter().timing,
  trainMs: 1_000_000,
  revealMs: 1_000_000,
  openTraceMs: 1_000_000,
  auditMs: 1_000_000,
};

/** The rules of the presets, with as many seats as `maxTrainers` says and reserves for a third of them. */
export function crowdCharter(maxTrainers: number): Charter {
  const { lease, audit, succession, credit } = RUN_PRESETS.small;
  return testCharter({
    committee: { minMembers: 2, maxTrainers, maxWitnesses: 16 },
    timing: PATIENT,
    lease: { ...lease!, reserves: Math.ceil(maxTrainers / 3) },
    audit,
    // A round of thousands who act one after the other lasts longer than a term; it goes on in three rounds all the same.
    succession: { ...succession, everyRounds: 3 },
    credit,
  });
}

export class Crowd {
  readonly run: ScriptedRun;
  readonly #size: number;
  readonly #present: ScriptedMember[] = [];
  readonly #byId = new Map<DeviceId, ScriptedMember>();

  constructor(charter: Charter, size: number, isSigned = false) {
    const members = Array.from({ length: size }, (_, i) => new ScriptedMember(i + 1, crowdBehaviour));
    for (const member of members) this.#byId.set(member.id, member);
    this.#size = size;
    this.run = new ScriptedRun(charter, members, isSigned);
  }

  get isWhole(): boolean {
    return this.#present.length === this.#size;
  }

  /** Lets everybody do what they owe now, one duty each; where nobody does anything, time passes. */
  step(): void {
    const { run } = this;
    while (!this.isWhole && run.state.round.joins < JOINS_IN_ROUND) {
      const newcomer = run.members[this.#present.length]!;
      run.join(newcomer);
      this.#present.push(newcomer);
    }
    let acted = false;
    for (const member of this.#present) acted = run.act(member) || acted;
    if (!acted && !this.#missTheSilent()) run.pass();
  }

  /** Keepers name the trainers that do nothing; their seats go to those who stand by. */
  #missTheSilent(): boolean {
    const { state } = this.run;
    const { keepers, seats } = state.round;
    for (const keeper of keepers) {
      const silent = Object.keys(seats).filter((trainer) => canLapse(state, keeper, trainer));
      if (silent.length === 0) continue;
      const named = silent.slice(0, NAMED_AT_ONCE).map((trainer) => ({ trainer, lease: null }));
      return this.run.say(this.#byId.get(keeper)!, 'lapse', { seats: named }) === null;
    }
    return false;
  }
}

/** The sequencer stays; whoever has vanished comes back for the next round. */
const crowdBehaviour: Behaviour = (member, duty, { state }) => {
  const draw = (what: string, round: number) =>
    below(new SeededRandom(hashOf(what, member.id, round)), 100) < CHANCE[what as keyof typeof CHANCE];
  if (duty.kind === 'train') return draw('vanish', state.round.number) ? 'silent' : undefined;
  return duty.kind === 'open' && draw('hide', duty.audit.round) && !duty.audit.again ? 'silent' : undefined;
};

const CHANCE = { vanish: VANISHING_PERCENT, hide: SECRETIVE_PERCENT } as const;
