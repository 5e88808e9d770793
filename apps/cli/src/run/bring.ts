/**
 * Brings a statement that carries its own authority (a revocation, a withdrawn ticket) to the log, under a key made for
 * this alone: the member of this home may be running, and two processes must not count with one device.
 *
 * Any member takes it to whoever orders the log now; the creator need not be there, nor this home know of the present term.
 */
import { randomBytes } from 'node:crypto';
import { type DeviceId, deviceKey, isWorldError, shortId, WorldError } from '@folkmoot/core';
import { createNetwork, type Libp2pNetwork } from '@folkmoot/network';
import { NOT_ORDERING, submitTo } from '@folkmoot/node';
import { type RecordBody, type Said, signRecord, type VerifiedRecord } from '@folkmoot/records';
import { knownAddresses } from '../story/known-addresses.ts';
import type { Story } from '../story/story.ts';

type Bearer = 'revoke' | 'withdraw';

/** Members that are asked at most. */
const MOST_DOORS = 16;

/** Throws `refused` with the log's reason, or `run-unreachable`. */
export async function bring<K extends Bearer>({ run, state }: Story, kind: K, said: Said<K>): Promise<void> {
  const key = deviceKey(new Uint8Array(randomBytes(32)));
  const { head, round, base, term } = state;
  const seen = { index: head.index, id: head.id };
  const common = { run: state.run, round: round.number, base, device: key.id, seq: 1, seen, term };
  const record = signRecord({ kind, ...common, ...said } as unknown as RecordBody, key);
  const doors = (await knownAddresses(run, state.sequencer)).slice(0, MOST_DOORS);
  const network = await createNetwork({ secret: key.secret });
  try {
    await submitToAny(network, doors, record);
  } finally {
    await network.close();
  }
}

async function submitToAny(network: Libp2pNetwork, doors: readonly string[], record: VerifiedRecord): Promise<void> {
  // All at once, since some are years old; in order, since the first is the sequencer's.
  const dials = doors.map((door) => unlessOfTheWorld(network.connect(door)));
  const asked = new Map<DeviceId, string>();
  for (const dial of dials) {
    const peer = await dial;
    if (peer === undefined || asked.has(peer)) continue;
    const receipt = await unlessOfTheWorld(submitTo(network, peer, record));
    if (receipt?.accepted) return;
    if (receipt) asked.set(peer, receipt.reason);
    if (receipt && receipt.reason !== NOT_ORDERING)
      throw new WorldError('refused', `The log refused it: ${receipt.reason.slice(0, 200)}.`);
  }
  throw new WorldError('run-unreachable', 'It could not be brought to the member that orders this run’s log.', {
    facts: { asked: [...asked.keys()].map(shortId).join(', ') || 'nobody answers', addresses: doors.join(' ') },
    help: 'Nothing was changed. Try again when members run; where one has just vanished, they need a minute to choose another.',
  });
}

/** `undefined` where the world has kept it from coming about. */
async function unlessOfTheWorld<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isWorldError(error)) throw error;
    return undefined;
  }
}
