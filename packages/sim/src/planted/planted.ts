/** A source with a bug in it. */
import type { PlantedBug } from './bug.ts';

/** Throws where the text that the bug replaces is not there exactly once: the source has moved on. */
export function planted({ name, file, find, put }: PlantedBug, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`the bug ${name} fits ${parts.length - 1} places of ${file}; it must be one`);
  return parts.join(put);
}
