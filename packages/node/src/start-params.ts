/** The parameters at which a trainer's round starts: of the base, the base before it and, where the codec says so, its error memory. */
import { aheadIn } from '@folkmoot/records';
import type { Place } from './bases.ts';
import type { Workbench } from './workbench.ts';

/** `errorIn` is asked only where the start depends on it. */
export async function startParams(
  { bases, log, work, charter }: Pick<Workbench, 'bases' | 'log' | 'work' | 'charter'>,
  place: Place & { readonly round: number },
  errorIn: () => Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const start = await bases.start(log.state, place, signal);
  const share = aheadIn(charter.codec, place.round);
  return share === undefined ? start : work.ownStart(start, await errorIn(), share);
}
