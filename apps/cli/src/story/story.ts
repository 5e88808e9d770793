/** The log of a run, told again from its first entry: each entry with what it brought about, and where that led. */
import { retell } from '@folkmoot/node';
import { type Event, initialState, type State } from '@folkmoot/protocol';
import type { Entry } from '@folkmoot/records';
import { JournalReader } from '@folkmoot/store';
import { AuditFiles } from './audit-files.ts';
import type { OpenRun } from './open-run.ts';
import { RoundFiles } from './round-files.ts';

export interface Told {
  readonly entry: Entry;
  readonly events: readonly Event[];
}

export class Story {
  readonly run: OpenRun;
  /** Entry i is the i-th. */
  readonly entries: Told[] = [];
  rounds = new RoundFiles();
  audits = new AuditFiles();
  readonly #reader: JournalReader;
  #retelling: ReturnType<typeof retell>;
  /** Lines that were read and not told yet. */
  #lines: Iterator<string> = [].values();
  #state: State;

  private constructor(run: OpenRun) {
    this.run = run;
    this.#reader = new JournalReader(run.folder.journal);
    this.#state = initialState(run.charter, run.shares);
    this.#retelling = retell(run.charter, this.#nextLines(), run.shares);
  }

  /** Reads what there is. Throws `log-damaged`. */
  static async read(run: OpenRun): Promise<Story> {
    const story = new Story(run);
    await story.readOn();
    return story;
  }

  /** Reads what was added since, and returns it; and how many of the entries told before were voted away for that. */
  async readOn(): Promise<{ readonly added: readonly Told[]; readonly takenBack: number }> {
    const { turns } = this.#reader;
    const lines = await this.#reader.read();
    const before = this.#reader.turns === turns ? [] : this.#forget();
    this.#lines = lines.values();
    const from = this.entries.length;
    for (let i = 0; i < lines.length; i++) this.#tellNext();
    let common = 0;
    while (common < before.length && this.entries[common]?.entry.id === before[common]!.entry.id) common++;
    return { added: this.entries.slice(Math.max(from, common)), takenBack: before.length - common };
  }

  /** After the last entry. */
  get state(): State {
    return this.#state;
  }

  /** Tells everything again, of a log whose end is another now; returns what was told before. */
  #forget(): Told[] {
    const { run } = this;
    this.rounds = new RoundFiles();
    this.audits = new AuditFiles();
    this.#state = initialState(run.charter, run.shares);
    this.#retelling = retell(run.charter, this.#nextLines(), run.shares);
    return this.entries.splice(0);
  }

  #tellNext(): void {
    const { entry, events, state } = this.#retelling.next().value!;
    this.#state = state;
    const told = { entry, events };
    this.entries.push(told);
    this.rounds.observe(told, state);
    this.audits.observe(told, state);
  }

  /** Endless: the retelling is asked for exactly as many entries as there are lines. */
  *#nextLines(): Generator<string> {
    for (;;) yield this.#lines.next().value!;
  }
}

/** Why the entry's record was refused; `undefined` where it was accepted. */
export function refusalOf({ entry, events }: Told): string | undefined {
  for (const event of events) if (event.kind === 'rejected' && event.record === entry.record.id) return event.reason;
  return undefined;
}
