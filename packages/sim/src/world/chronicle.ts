/** What happened in a world, in order, for people: a trace in text and the marks of a timeline. */
import { isWorldError } from '@folkmoot/core';
import type { Notice } from '@folkmoot/node';
import type { Event, State } from '@folkmoot/protocol';
import type { Blow } from '../nemeses/index.ts';
import { SIM_START_MS } from '../sim-clock.ts';
import type { SimPerson, SimRun } from '../sim-run.ts';
import type { Plan } from './plan.ts';

export interface Mark {
  /** Virtual milliseconds since the beginning. */
  readonly atMs: number;
  /** Index of whom it is about; −1 for the world. */
  readonly who: number;
  readonly kind: string;
  readonly text: string;
}

/** A stretch of time: a phase, a nemesis at work, a machine that is down. */
export interface Stretch {
  readonly fromMs: number;
  toMs: number;
  readonly who: number;
  readonly kind: string;
  readonly text: string;
}

const MOST_MARKS = 200_000;

export class Chronicle {
  readonly marks: Mark[] = [];
  readonly stretches: Stretch[] = [];
  healedAtMs: number | undefined;
  readonly #run: SimRun;
  readonly #plan: Plan;
  readonly #down = new Map<SimPerson, Stretch>();
  /** The newest entry that somebody has told; others tell the same again. */
  #told = -1;
  #phase: Stretch | undefined;

  constructor(run: SimRun, plan: Plan) {
    this.#run = run;
    this.#plan = plan;
  }

  get nowMs(): number {
    return this.#run.clock.now() - SIM_START_MS;
  }

  hear(person: SimPerson, notice: Notice): void {
    if (notice.kind === 'trouble') return this.#mark(person, 'trouble', troubleOf(notice.error));
    if (notice.kind === 'started') return this.#mark(person, 'started', 'takes part');
    if (notice.kind !== 'entry' || notice.entry.index <= this.#told) return;
    this.#told = notice.entry.index;
    for (const event of notice.events) this.#event(event);
    const { state } = person;
    if (state) this.#phases(state);
  }

  struck(blow: Blow, victims: readonly SimPerson[]): void {
    const text = `${blow.nemesis} (force ${blow.force}, ${(blow.lastsMs / 1000).toFixed(1)} s)`;
    const whom = victims.length > 0 ? victims.map((person) => this.#indexOf(person)) : [-1];
    for (const who of whom) {
      this.marks.push({ atMs: this.nowMs, who, kind: 'blow', text });
      // A blow ends with the chaos at the latest.
      const lastsMs = Math.min(blow.lastsMs, Math.max(0, this.#plan.chaosMs - blow.atMs));
      if (lastsMs > 0)
        this.stretches.push({ fromMs: this.nowMs, toMs: this.nowMs + lastsMs, who, kind: blow.nemesis, text });
    }
  }

  crashed(person: SimPerson): void {
    this.#mark(person, 'crash', 'the process ends');
    const down = { fromMs: this.nowMs, toMs: this.nowMs, who: this.#indexOf(person), kind: 'down', text: 'no process' };
    this.stretches.push(down);
    this.#down.set(person, down);
  }

  started(person: SimPerson): void {
    const down = this.#down.get(person);
    if (down) down.toMs = this.nowMs;
    this.#down.delete(person);
    this.#mark(person, 'start', 'a process starts');
  }

  healed(): void {
    this.healedAtMs = this.nowMs;
    this.marks.push({ atMs: this.nowMs, who: -1, kind: 'heal', text: 'the world heals' });
  }

  /** The last `count` marks, a line each. */
  lines(count: number): string[] {
    return this.marks.slice(-count).map(({ atMs, who, kind, text }) => {
      const name = who < 0 ? 'world' : this.#run.people[who]!.name;
      return `${`+${(atMs / 1000).toFixed(2)} s`.padStart(11)}  ${name.padEnd(8)} ${kind.padEnd(10)} ${text}`;
    });
  }

  #phases({ round }: State): void {
    const text = `round ${round.number}`;
    const last = this.#phase;
    if (last && last.kind === round.phase && last.text === text) {
      last.toMs = this.nowMs;
      return;
    }
    if (last) last.toMs = this.nowMs;
    this.#phase = { fromMs: this.nowMs, toMs: this.nowMs, who: -2, kind: round.phase, text };
    this.stretches.push(this.#phase);
  }

  #event(event: Event): void {
    const [device, kind, text] = tellingOf(event) ?? [];
    if (kind === undefined) return;
    const who = device === undefined ? -1 : this.#run.people.findIndex((person) => person.id === device);
    if (this.marks.length < MOST_MARKS) this.marks.push({ atMs: this.nowMs, who, kind, text: text! });
  }

  #mark(person: SimPerson, kind: string, text: string): void {
    if (this.marks.length < MOST_MARKS) this.marks.push({ atMs: this.nowMs, who: this.#indexOf(person), kind, text });
  }

  #indexOf(person: SimPerson): number {
    return this.#run.people.indexOf(person);
  }
}

function tellingOf(event: Event): [device: string | undefined, kind: string, text: string] | undefined {
  switch (event.kind) {
    case 'rejected':
      return [event.device, 'rejected', `${event.recordKind}: ${event.reason}`];
    case 'joined':
      return [event.device, 'joined', 'is a member'];
    case 'ready':
      return [event.device, 'ready', 'is ready'];
    case 'away':
      return [event.device, 'away', event.reason];
    case 'assigned':
      return [
        undefined,
        'assigned',
        `round ${event.round}: ${event.trainers.length} trainers, ${event.witnesses.length} witnesses`,
      ];
    case 'committed':
      return [event.device, 'committed', `round ${event.round}`];
    case 'revealed':
      return [event.device, 'revealed', `round ${event.round}`];
    case 'redrawn':
      return [undefined, 'redrawn', `round ${event.round}, draw ${event.draw}`];
    case 'included':
      return [undefined, 'included', `round ${event.round}: ${event.trainers.length} updates`];
    case 'finalized':
      return [undefined, 'finalized', `round ${event.round}: base ${event.content.nextBase.slice(0, 8)}`];
    case 'void':
      return [undefined, 'void', `round ${event.round}: ${event.reason}`];
    case 'audit-drawn':
      return [
        event.auditor,
        'audit',
        `segment ${event.segment} of ${event.trainer.slice(0, 6)} in round ${event.round}`,
      ];
    case 'verdict':
      return [
        event.verdict.auditor,
        'verdict',
        `${event.verdict.outcome} for ${event.trainer.slice(0, 6)} in round ${event.round}`,
      ];
    case 'settled': {
      const { device, round, outcome, segments } = event.settlement;
      return [device, segments > 0 ? 'credited' : 'uncredited', `round ${round}: ${outcome}, ${segments} segments`];
    }
    case 'dispute-ended':
      return [
        event.accuser,
        'dispute',
        `about ${event.trainer.slice(0, 6)} in round ${event.round}: ${event.standing} after ${event.moves} moves`,
      ];
    case 'amended':
      return [event.settlement.device, 'amended', `round ${event.settlement.round}: ${event.settlement.outcome}`];
    case 'forfeited':
      return [event.device, 'forfeited', `${event.amount} credits`];
    case 'fault':
      return [event.device, 'fault', `contradicts itself and forfeits ${event.forfeited}`];
    default:
      return undefined;
  }
}

function troubleOf(error: unknown): string {
  return isWorldError(error) ? `${error.code}: ${error.message}` : String(error);
}
