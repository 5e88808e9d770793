import { clockSkew } from './clock-skew.ts';
import { crash } from './crash.ts';
import { delay } from './delay.ts';
import { diskFull } from './disk-full.ts';
import { duplication } from './duplication.ts';
import { flashJoin } from './flash-join.ts';
import { flippedBit } from './flipped-bit.ts';
import { loss } from './loss.ts';
import { lostOffice } from './lost-office.ts';
import { lostStore } from './lost-store.ts';
import { lostTail } from './lost-tail.ts';
import { massLeave } from './mass-leave.ts';
import type { Nemesis } from './nemesis.ts';
import { oneWayPartition } from './one-way-partition.ts';
import { partialPartition } from './partial-partition.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { reordering } from './reordering.ts';
import { slowLinks } from './slow-links.ts';
import { tornWrite } from './torn-write.ts';

export type { Blow, Nemesis, Struck } from './nemesis.ts';

/** What may befall a world, by the name under which `sim --nemesis` and plans know it. */
export const NEMESES = {
  loss,
  delay,
  duplication,
  reordering,
  partition,
  'partial-partition': partialPartition,
  'one-way-partition': oneWayPartition,
  'slow-links': slowLinks,
  'clock-skew': clockSkew,
  crash,
  'disk-full': diskFull,
  'torn-write': tornWrite,
  'lost-tail': lostTail,
  'lost-office': lostOffice,
  'lost-store': lostStore,
  'flipped-bit': flippedBit,
  'mass-leave': massLeave,
  'flash-join': flashJoin,
  pause,
} as const satisfies Record<string, Nemesis>;

export type NemesisName = keyof typeof NEMESES;
