/** Which of the code has run, as V8 counts it. */
import { Session } from 'node:inspector';

const OWN_FILES = /\/packages\/[^/]+\/src\//;

/** The parts of V8's answer that are used. */
interface Counted {
  readonly result: readonly {
    readonly url: string;
    readonly scriptId: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

/**
 * Letters of source that have run so far, by script. V8 names a block only where it ran more or less often than what is
 * around it, so that blocks themselves cannot be compared from one call to the next.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #files: RegExp;
  readonly #reached = new Map<string, Uint8Array>();
  #letters = 0;
  #undo: (() => void)[] = [];

  /** Of files whose URL matches. What was compiled before shows no blocks: make it before loading what is to be seen. */
  constructor(files = OWN_FILES) {
    this.#files = files;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.grew();
  }

  get letters(): number {
    return this.#letters;
  }

  /** Whether anything ran since the last call that had never run. */
  grew(): boolean {
    const before = this.#letters;
    this.#undo = [];
    // Answered at once: the inspector is in this process.
    this.#session.post('Profiler.takePreciseCoverage', (_error, counted) => {
      for (const { url, scriptId, functions } of (counted as unknown as Counted)?.result ?? [])
        if (this.#files.test(url)) this.#note(scriptId, functions);
    });
    return this.#letters > before;
  }

  /** As if what the last call found had not run. */
  forgetLast(): void {
    for (const undo of this.#undo) undo();
    this.#undo = [];
  }

  close(): void {
    this.#session.disconnect();
  }

  #note(scriptId: string, functions: Counted['result'][number]['functions']): void {
    const ranges = functions.flatMap((entry) => entry.ranges);
    const ran = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
    // What is around comes first.
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    const former = this.#reached.get(scriptId) ?? new Uint8Array(0);
    const reached = new Uint8Array(Math.max(former.length, ran.length));
    reached.set(former);
    let more = 0;
    for (const [i, isRan] of ran.entries())
      if (isRan && !reached[i]) {
        reached[i] = 1;
        more++;
      }
    if (more === 0) return;
    this.#reached.set(scriptId, reached);
    this.#letters += more;
    this.#undo.push(() => {
      this.#reached.set(scriptId, former);
      this.#letters -= more;
    });
  }
}
