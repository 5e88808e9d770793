/** The invariants I1–I8 under members that act in any order, late, twice, not at all, or falsely. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, hashOf, SeededRandom, shuffled } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { leaseMark, signLease } from '@folkmoot/records';
import fc from 'fast-check';
import { apply, canLapse, type Duty, duties, type Event, initialState, nextDeadline, stateRootOf } from './index.ts';
import { ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';
import type { State } from './state.ts';
import { countAll } from './tally.ts';

const scenario = fc.record({
  seed: fc.string(),
  count: fc.integer({ min: 2, max: 6 }),
  /** How often, in percent, a member does nothing about a duty until time has passed. */
  idle: fc.constantFrom(0, 10, 40, 70),
  /** How many of the members train falsely. */
  cheats: fc.integer({ min: 0, max: 2 }),
  maxWitnesses: fc.constantFrom(2, 3, 16),
  /** Seats; who finds none stands by. */
  maxTrainers: fc.constantFrom(2, 3, 64),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

test('in chaos nothing wrong happens; when it ends, every honest member finishes and is paid', () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const world = new Chaos(given);
      world.wreck(250);
      world.checkFates();
      world.heal();
      world.checkFates();
      world.checkCredits();
    }),
    { numRuns: 40 },
  );
});

test('I2, I8: a copy that replays the log, or goes on from a snapshot, is equal byte for byte', () => {
  fc.assert(
    fc.property(scenario, fc.nat(200), (given, at) => {
      const { run } = wrecked(given);
      const again = initialState(run.state.charter);
      let restored: State | undefined;
      for (const entry of run.entries) {
        if (entry.index === at) restored = JSON.parse(JSON.stringify(again));
        const events = apply(again, entry);
        if (restored) assert.deepEqual(apply(restored, entry), events);
      }
      assert.deepEqual(again, run.state);
      if (restored) assert.deepEqual(restored, run.state);
      assert.deepEqual(JSON.parse(JSON.stringify(run.state)), run.state, 'the state is plain JSON');
    }),
    { numRuns: 30 },
  );
});

test('the tally that each record corrects is what counting every seat gives', () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { run } = wrecked(given);
      const again = initialState(run.state.charter);
      for (const entry of run.entries) {
        apply(again, entry);
        if (again.round.phase !== 'open') assert.deepEqual(again.round.tally, countAll(again));
      }
    }),
    { numRuns: 20 },
  );
});

test('I7: records of another round, base or run, and old ones, change nothing but the head', () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { run } = wrecked(given);
      // A timer that nobody needs any more goes with whatever entry comes next, a good one too.
      run.tick();
      for (const member of run.members) {
        for (const record of run.records.slice(-20)) refusedInert(run, () => run.append(record));
        for (const place of [
          { round: run.state.round.number + 1, base: run.state.base },
          { round: run.state.round.number, base: hashOf('another base') },
        ])
          refusedInert(run, () => run.say(member, 'ready', { tip: hashOf('t'), engine: 'x', reset: true }, place));
      }
    }),
    { numRuns: 10 },
  );
});

function wrecked(given: Scenario): Chaos {
  const world = new Chaos(given);
  world.wreck(200);
  return world;
}

/** Appends through `say`, which must refuse, and nothing but the head may change. Time stands still meanwhile. */
function refusedInert(run: ScriptedRun, say: () => string | null): void {
  const { head: _head, ...before } = structuredClone(run.state);
  assert.notEqual(say(), null);
  const { head: _now, ...after } = run.state;
  assert.deepEqual(after, before);
}

class Chaos {
  readonly run: ScriptedRun;
  readonly #random: SeededRandom;
  readonly #idle: number;
  readonly #cheats: ReadonlySet<ScriptedMember>;
  readonly #seats: string[] = [];
  /** More members than seats: whoever is not drawn is not paid. */
  readonly #drawsLots: boolean;

  constructor({ seed, count, idle, cheats, maxWitnesses, maxTrainers }: Scenario) {
    this.#random = new SeededRandom(`chaos ${seed}`);
    this.#idle = idle;
    const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1));
    // At most the minority: two honest auditors must remain for a cheat to be convicted.
    this.#cheats = new Set(members.slice(count - Math.min(cheats, Math.floor((count - 1) / 2))));
    this.#drawsLots = count > maxTrainers;
    const committee = { minMembers: 2, maxTrainers, maxWitnesses };
    const lease = { everyMs: 500, lapseMs: 1000, reserves: 3 };
    this.run = new ScriptedRun(testCharter({ committee, lease }), members);
    this.run.watch = (events) => this.#look(events);
    for (const member of members) this.run.join(member);
  }

  /** Random members do random duties, or none; time passes in leaps. */
  wreck(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const member = this.run.members[below(this.#random, this.run.members.length)]!;
      const owed = shuffled(this.#random, duties(this.run.state, member.id));
      const whim = below(this.#random, 100);
      if (whim < 2) this.run.say(member, 'leave', { abstains: true });
      else if (whim < 4) this.run.ready(member, below(this.#random, 2) === 0);
      else if (whim < 30) this.#miss(member);
      else if (owed.length > 0 && below(this.#random, 100) >= this.#idle) this.#perform(member, owed[0]!);
      else this.#passTime();
    }
  }

  /** Everybody does at once what is owed, in turn. */
  heal(): void {
    const { run } = this;
    const goal = run.state.finalized + 4;
    for (const member of run.members)
      member.behaviour = (_, duty) => (duty.kind === 'train' && this.#cheat(member, duty) ? 'done' : undefined);
    for (let turn = 0; turn < 400; turn++) {
      const { audits, reproductions } = run.state;
      if (run.state.finalized >= goal && Object.keys({ ...audits, ...reproductions }).length === 0)
        return this.#checkHonest();
      const active = run.members.filter((member) => run.act(member));
      if (active.length > 0) continue;
      run.nowMs = Math.max(run.nowMs, nextDeadline(run.state) ?? run.nowMs);
      run.tick();
    }
    assert.fail('I3, I10: everybody who is honest finishes');
  }

  /** I1: every seat of a round that is over has one fate, or an open audit. */
  checkFates(): void {
    const fates = this.run.settlements().map(({ round, device }) => `${round} ${device}`);
    assert.equal(new Set(fates).size, fates.length, 'nobody is settled twice');
    const { audits, round } = this.run.state;
    const unsettled = [
      ...Object.values(audits).filter(({ again }) => !again),
      ...Object.values(this.run.state.reproductions),
    ];
    const open = unsettled.map((audit) => `${audit.round} ${audit.trainer}`);
    const over = this.#seats.filter((seat) => !seat.startsWith(`${round.number} `));
    assert.deepEqual([...fates, ...open].sort(), over.sort());
  }

  /** I5, I6: credit is the rate times what was paid; honest members are paid and never accused. */
  checkCredits(): void {
    const { run } = this;
    for (const member of run.members) {
      const mine = run.settlements().filter(({ device }) => device === member.id);
      const segments = mine.reduce((sum, settlement) => sum + settlement.segments, 0);
      assert.equal(balanceOf(run.state.ledger, run.state.members[member.id]!.account).earned, 10 * segments);
      const outcomes = mine.map(({ outcome }) => outcome);
      if (!this.#cheats.has(member)) {
        if (!this.#drawsLots) assert.ok(segments > 0);
        assert.ok(!outcomes.includes('mismatch'), 'I5');
        assert.ok(!run.events.some((event) => event.kind === 'fault'), 'I5');
      } else assert.ok(!outcomes.some((outcome) => ['matched', 'within'].includes(outcome)), 'I6');
    }
  }

  /** I5: whoever is honest has lost nothing, and owes nothing once everybody is back. */
  #checkHonest(): void {
    const { members, ledger } = this.run.state;
    for (const { id } of this.run.members.filter((member) => !this.#cheats.has(member))) {
      const { account, owes } = members[id]!;
      assert.deepEqual([owes, ledger.accounts[account]!.frozen, ledger.accounts[account]!.forfeited], [null, 0, 0]);
    }
  }

  #perform(member: ScriptedMember, duty: Duty): void {
    this.run.nowMs += below(this.#random, 400);
    if (duty.kind === 'train' && this.#cheat(member, duty)) return;
    const place = 'audit' in duty ? { round: duty.audit.round, base: duty.audit.base } : undefined;
    const silence = { part: 'segment', stateRoot: null, salt: null, distancePpm: 0, tensor: '' } as const;
    if ((duty.kind === 'audit' || duty.kind === 'judge') && below(this.#random, 8) === 0) {
      const { trainer, segment } = duty.audit;
      this.run.say(member, 'verdict', { trainer, segment, outcome: 'abstain', ...silence }, place);
    } else this.run.perform(member, duty);
  }

  /** Says of some trainer, live or not, that it has lapsed; the lease is sometimes true, sometimes invented. */
  #miss(keeper: ScriptedMember): void {
    const { state } = this.run;
    for (const trainer of shuffled(this.#random, Object.keys(state.round.seats))) {
      if (!canLapse(state, keeper.id, trainer)) continue;
      const { seat, skip, carryIn } = state.round.seats[trainer]!;
      const { seed, number: round } = state.round;
      const segment = below(this.#random, this.run.segments - skip + 1);
      const link =
        below(this.#random, 3) === 0
          ? hashOf('invented', keeper.id)
          : this.run.linkOf({ base: state.base, seed, seat, skip, carryIn }, segment);
      const place = { run: state.run, round, base: state.base, device: trainer, seat, beat: 1 };
      const { key } = this.run.members.find(({ id }) => id === trainer)!;
      const lease = signLease({ kind: 'lease', ...place, segment, mark: leaseMark(link) }, key);
      this.run.say(keeper, 'lapse', { seats: [{ trainer, lease }] });
      return;
    }
  }

  #cheat(member: ScriptedMember, duty: Extract<Duty, { kind: 'train' }>): boolean {
    if (!this.#cheats.has(member)) return false;
    const { moments } = duty.seat.carryIn;
    const states = Array.from({ length: this.run.segments - duty.seat.skip }, () => ({ params: duty.base, moments }));
    this.run.commit(member, duty, { states });
    return true;
  }

  #passTime(): void {
    const { run } = this;
    const deadline = nextDeadline(run.state);
    const leap = below(this.#random, 3000);
    run.nowMs =
      below(this.#random, 3) === 0 && deadline !== undefined ? Math.max(run.nowMs, deadline) : run.nowMs + leap;
    if (deadline !== undefined && deadline <= run.nowMs) run.tick();
  }

  #look(events: readonly Event[]): void {
    const { state } = this.run;
    for (const event of events) {
      if (event.kind === 'assigned')
        for (const trainer of event.trainers) this.#seats.push(`${event.round} ${trainer}`);
      if (event.kind === 'handed-over') this.#seats.push(`${event.round} ${event.standIn}`);
      if (event.kind === 'included') checkQuorum(state);
      if (event.kind === 'finalized') assert.equal(event.content.nextBase, state.base);
    }
    const filled = Object.values(state.round.seats).flatMap(({ seat, commit }) => (commit ? [seat] : []));
    assert.equal(new Set(filled).size, filled.length, 'I1: no seat is filled twice');
    for (const audit of Object.values(state.audits)) checkAudit(state, audit.trainer, audit.auditors);
    const open = Object.values(state.audits).flatMap((audit) => (audit.again ? [] : [audit.round]));
    for (const round of open) assert.ok(state.round.phase === 'open' || round >= state.round.number - 2, 'audits lag');
  }
}

/** I4: what is included was attested by more than two thirds of the others; the header names this very state. */
function checkQuorum(state: State): void {
  const { round, members } = state;
  for (const trainer of round.included) {
    const own = members[trainer]!.account;
    const others = round.witnesses.filter((witness) => members[witness]!.account !== own);
    const votes = others.filter((witness) => round.attested[witness]?.includes(round.seats[trainer]!.update!));
    assert.ok(3 * votes.length > 2 * others.length);
  }
  assert.equal(round.expected!.stateRoot, stateRootOf(state));
  assert.equal(round.expected!.logIndex, state.head.index);
}

function checkAudit(state: State, trainer: string, auditors: readonly string[]): void {
  assert.ok(auditors.length <= 7 && new Set(auditors).size === auditors.length);
  for (const auditor of auditors) assert.notEqual(state.members[auditor]!.account, state.members[trainer]!.account);
}
