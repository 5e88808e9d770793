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
  readonly rounds = new RoundFiles();
  readonly audits = new AuditFiles();
  readonly #reader: JournalReader;
  readonly #retelling: ReturnType<typeof retell>;
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

  /** Reads what was added since, and returns it. */
  async readOn(): Promise<readonly Told[]> {
    const lines = await this.#reader.read();
    this.#lines = lines.values();
    const from = this.entries.length;
    for (let i = 0; i < lines.length; i++) this.#tellNext();
    return this.entries.slice(from);
  }

  /** After the last entry. */
  get state(): State {
    return this.#state;
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
