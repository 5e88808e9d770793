import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, SeededRandom } from '@folkmoot/core';
import fc from 'fast-check';
import { duties, type Event, initialState, nextDeadline } from './index.ts';
import { limitMs, observePace, usualMs } from './pace.ts';
import { ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

test('what is usual is the median of the last nine, and the limit four times that, within the charter’s bounds', () => {
  const state = initialState(testCharter());
  assert.equal(usualMs(state, 'train'), 0);
  assert.equal(limitMs(state, 'train'), 60_000, 'nothing known: the charter’s');
  for (const tookMs of [6000, 7000, 6500, 900_000, 1]) observePace(state, 'train', tookMs);
  assert.equal(usualMs(state, 'train'), 6500, 'neither a slow round nor a quick one moves it');
  assert.equal(limitMs(state, 'train'), 26_000);
  for (let i = 0; i < 9; i++) observePace(state, 'train', 100);
  assert.equal(limitMs(state, 'train'), 20_000, 'not below ten times the grace');
  for (let i = 0; i < 9; i++) observePace(state, 'train', 50_000);
  assert.equal(limitMs(state, 'train'), 60_000, 'not beyond the charter');
  assert.equal(limitMs(state, 'witness'), 10_000, 'each phase has a pace of its own');
});

const scenario = fc.record({
  seed: fc.string(),
  count: fc.integer({ min: 4, max: 7 }),
  /** Whether one member is silent for ever; the others are as slow as the seed says, a few of them very. */
  silent: fc.boolean(),
});

test('no phase waits for one member longer than the grace after most have delivered, however heavy the tails', () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const world = new Heavy(given);
      world.go(6);
      assert.ok(world.run.state.finalized >= 3, 'rounds go on');
      for (const { phase, overMs, graceMs } of world.waits)
        assert.ok(overMs <= graceMs, `${phase}: waited ${overMs} ms after most, where the grace is ${graceMs}`);
    }),
    { numRuns: 20 },
  );
});

test('after a round that came to nothing the charter’s durations hold again, so that all may have become slow', () => {
  const members = Array.from({ length: 4 }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(testCharter(), members);
  for (const member of members) run.join(member);
  run.run(() => run.state.finalized === 3 && run.state.round.phase === 'train');
  assert.equal(run.state.round.deadlineMs! - run.state.round.phaseAtMs, 20_000);
  const isVoid = () => run.events.some(({ kind }) => kind === 'void');
  while (!isVoid()) run.pass();
  for (const member of members) if (!run.state.members[member.id]!.ready) run.ready(member);
  assert.equal(run.state.round.phase, 'train');
  assert.equal(run.state.round.deadlineMs! - run.state.round.phaseAtMs, 60_000);
});

/** Members that each take a time with a heavy tail for everything; time passes as they and the deadlines say. */
class Heavy {
  readonly run: ScriptedRun;
  readonly waits: { phase: string; overMs: number; graceMs: number }[] = [];
  readonly #random: SeededRandom;
  readonly #due = new Map<string, number>();
  #majorityMs: number | undefined;
  #seen = '';

  constructor({ seed, count, silent }: { seed: string; count: number; silent: boolean }) {
    this.#random = new SeededRandom(`heavy ${seed}`);
    const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1));
    this.run = new ScriptedRun(testCharter(), members, false);
    for (const member of members) this.run.join(member);
    if (silent) members.at(-1)!.behaviour = () => 'silent';
    this.run.watch = (events) => this.#look(events);
  }

  /** The next thing that happens, whoever's it is, until so many rounds have ended. */
  go(rounds: number): void {
    const { run } = this;
    for (let step = 0; step < 3000 && run.state.round.number <= rounds; step++) {
      let next: { atMs: number; act: () => void } | undefined;
      const deadline = nextDeadline(run.state);
      if (deadline !== undefined) next = { atMs: deadline, act: () => run.tick() };
      for (const member of run.members) {
        const duty = duties(run.state, member.id).find((owed) => member.behaviour(member, owed, run) !== 'silent');
        if (!duty) continue;
        const of = 'audit' in duty ? `${duty.audit.round} ${duty.audit.trainer} ${duty.audit.segment}` : '';
        const { number, draw } = run.state.round;
        const name = `${member.id} ${number} ${draw} ${duty.kind} ${of}`;
        if (!this.#due.has(name)) this.#due.set(name, run.nowMs + this.#delayMs(duty.kind === 'train' ? 4000 : 200));
        const atMs = this.#due.get(name)!;
        if (!next || atMs < next.atMs) next = { atMs, act: () => run.perform(member, duty) };
      }
      if (!next) return;
      run.nowMs = Math.max(run.nowMs, next.atMs);
      next.act();
    }
  }

  /** Pareto with exponent one, cut at fifty times the least. */
  #delayMs(leastMs: number): number {
    return Math.floor(leastMs * Math.min(50, 1000 / (1 + below(this.#random, 1000))));
  }

  #look(_events: readonly Event[]): void {
    const { run } = this;
    const { phase, number, draw, phaseAtMs, grace } = run.state.round;
    const name = `${number} ${phase} ${draw} ${phaseAtMs}`;
    if (name !== this.#seen && this.#majorityMs !== undefined && this.#seen !== '') {
      const [, was, , atMs] = this.#seen.split(' ');
      const graceMs = Math.max(2000, Math.floor((this.#majorityMs - Number(atMs)) / 2));
      this.waits.push({ phase: was!, overMs: run.nowMs - this.#majorityMs, graceMs });
    }
    if (name !== this.#seen) this.#majorityMs = undefined;
    this.#seen = name;
    if (grace) this.#majorityMs ??= run.nowMs;
  }
}
