/**
 * Seeds that nobody knows early: preimages of announced hash chains, shown by the witnesses at the last moment.
 *
 * Stated biases: a witness may withhold its preimage, and the sequencer, who sees records first, has the last look.
 */
import { type DeviceId, type Hash, hashLink, hashOf } from '@folkmoot/core';
import type { State } from './state.ts';

/** Whether `preimage` is the next link of the device's chain. */
export function isNextLink(state: State, device: DeviceId, preimage: Hash): boolean {
  return hashLink(preimage) === state.members[device]!.tip;
}

/** Seed of the next round: trainers, witnesses, rows. Known only when the last header is signed. */
export function roundSeed(state: State, previous: Hash, preimages: Record<DeviceId, Hash>): Hash {
  return hashOf('round-seed', state.run, previous, ...inOrder(preimages));
}

/** Seed of the audits of this round. Known only when witnessing ends, after every commit. */
export function auditSeed(state: State): Hash {
  return hashOf('audit-seed', state.run, state.round.number, state.round.seed, ...inOrder(state.round.attestPreimages));
}

function inOrder(preimages: Record<DeviceId, Hash>): string[] {
  return Object.keys(preimages)
    .sort()
    .flatMap((device) => [device, preimages[device]!]);
}
