/** The first of several doors that opens: an old invite names members who are gone, and each of them would cost a timeout. */
import { type Clock, isWorldError } from '@folkmoot/core';

/** The next door is tried after so long, or at once where the one before is shut. */
const NEXT_MS = 1000;

/**
 * What `enter` gives at the first door that opens. Rejects where none does: with the reason of one behind which there is
 * another run, else with that of the last.
 */
export async function firstDoor<T>(
  doors: readonly string[],
  enter: (door: string) => Promise<T>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<T> {
  const opened = Promise.withResolvers<true>();
  const all: Promise<T>[] = [];
  for (const door of doors) {
    signal?.throwIfAborted();
    const entering = enter(door);
    all.push(entering);
    const isOpen = entering.then(
      () => true,
      () => false,
    );
    isOpen.then((open) => open && opened.resolve(true));
    const stop = new AbortController();
    const late = clock.sleep(NEXT_MS, stop.signal).catch(() => {});
    const found = await Promise.race([opened.promise, isOpen, late]);
    stop.abort();
    if (found === true) break;
  }
  return Promise.any(all).catch((error: AggregateError) => {
    signal?.throwIfAborted();
    throw error.errors.find((one) => isWorldError(one, 'invite-foreign')) ?? error.errors.at(-1);
  });
}
