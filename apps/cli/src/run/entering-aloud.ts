/** What a person hears while a member enters its run, where that takes long: what is being fetched, or that nobody answers. */
import type { Notice } from '@folkmoot/node';
import { formatBytes } from '../ui/format.ts';

const EVERY_MS = 10_000;
const WAITING = 'waiting for a member of the run to answer; Ctrl+C ends';

export class EnteringAloud {
  #doing = WAITING;
  readonly #timer: NodeJS.Timeout;

  constructor(say: (line: string) => void) {
    this.#timer = setInterval(() => say(`${this.#doing} …`), EVERY_MS);
  }

  notice(notice: Notice): void {
    if (notice.kind !== 'fetching') return;
    const { what, doneBytes, sizeBytes } = notice;
    const isHere = doneBytes >= sizeBytes;
    this.#doing = isHere ? WAITING : `fetching ${what}: ${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`;
  }

  /** The member is in, or will not be. */
  close(): void {
    clearInterval(this.#timer);
  }
}
