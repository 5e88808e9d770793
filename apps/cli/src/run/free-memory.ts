/** Gives memory back before a long wait: V8 collects when something allocates, and a member that waits allocates nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects what a large piece of work has left behind. Takes tens of milliseconds. */
export function freeMemory(): void {
  // The collector is only shown to contexts that are made after this.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // What became empty in the first pass is given back to the system in the second.
  collect();
  setFlagsFromString('--no-expose-gc');
}
