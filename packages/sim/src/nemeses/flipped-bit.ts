/** Flipped bit: one bit of one stored artifact changes where it lies. */
import { below } from '@folkmoot/core';
import { anybody, type Nemesis } from './nemesis.ts';

export const flippedBit: Nemesis = {
  about: 'a bit of a stored artifact flips',
  plan: (random, members) => ({ lastsMs: 0, victims: anybody(random, members), force: 0 }),
  strike({ victims, random }) {
    for (const { machine } of victims) {
      const ids = [...machine.disk.artifacts.keys()].sort();
      if (ids.length > 0) machine.disk.corrupt(ids[below(random, ids.length)]!);
    }
    return undefined;
  },
};
