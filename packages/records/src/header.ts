/** The header: the signed end of a round. The chain of headers is the shortest history of a run. */
import { type Canonical, type DeviceId, type Hash, idOf } from '@folkmoot/core';
import { z } from 'zod';
import { hash, natural } from './fields.ts';

export const headerSchema = z.strictObject({
  run: hash,
  round: natural,
  /** The header of the last finished round; the run id at first. */
  prev: hash,
  /** The entry that ended witnessing, and the state of the reducer after it. */
  logIndex: natural,
  stateRoot: hash,
  base: hash,
  /** Merkle root over the ids of the included updates, in the order of their trainers' ids. */
  updateSetRoot: hash,
  aggregate: hash,
  nextBase: hash,
  creditsRoot: hash,
  /** `electorsId` of those whose signatures end the next round. */
  electors: hash,
});

export type Header = z.infer<typeof headerSchema>;

/** Names an electorate: the devices that sign the next header and vote on the sequencer, in ascending order. */
export function electorsId(electors: readonly DeviceId[]): Hash {
  return idOf([...electors]);
}

export function headerId(header: Header): Hash {
  return idOf(header as Canonical);
}
