/** Whether a phase ever lasted longer than it may: its deadline, and from a quorum on the grace. */
import type { Phase, State } from '@folkmoot/protocol';
import type { Entry } from '@folkmoot/records';

/** How much later than its deadline an entry may say so: the sequencer's nap, and a message on its way. */
const LATE_MS = 2000;
/** Whoever signs a round's end has no deadline: nothing else can end it. Electors vote on the sequencer instead. */
const ENDLESS: ReadonlySet<Phase> = new Set(['open', 'finalize', 'seal']);

interface Begun {
  readonly place: string;
  readonly phase: Phase;
  readonly deadlineMs: number | null;
}

export class Barriers {
  readonly overruns: string[] = [];
  /** Of phases in which somebody was missing at the end: how long the longest lasted, by phase, milliseconds. */
  readonly longestMs: Partial<Record<Phase, number>> = {};
  /** Phases that ended although somebody had not delivered. */
  endedWithout = 0;
  #before: Begun | undefined;
  #phaseAtMs = 0;
  #missing = 0;

  /** After each entry. */
  see(entry: Entry, state: State): void {
    const { round } = state;
    if (!this.#before) this.#phaseAtMs = entry.atMs;
    const place = `${round.number} ${round.phase} ${round.draw}`;
    const { place: former, deadlineMs, phase } = this.#before ?? { place, deadlineMs: null, phase: round.phase };
    if (deadlineMs !== null && entry.atMs > deadlineMs + LATE_MS && !ENDLESS.has(phase))
      this.overruns.push(`${former}: ${entry.atMs - deadlineMs} ms after its deadline`);
    if (former !== place) this.#ended(phase, entry.atMs);
    const { expected, delivered } = round.tally;
    this.#missing = ENDLESS.has(round.phase) ? 0 : expected - delivered;
    this.#before = { place, phase: round.phase, deadlineMs: round.deadlineMs };
    if (former !== place) this.#phaseAtMs = entry.atMs;
  }

  #ended(phase: Phase, atMs: number): void {
    const tookMs = atMs - this.#phaseAtMs;
    this.longestMs[phase] = Math.max(this.longestMs[phase] ?? 0, tookMs);
    // The entry itself may have been the last that was awaited.
    if (this.#missing > 1) this.endedWithout++;
  }
}
