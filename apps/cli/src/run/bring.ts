/**
 * Brings a statement that carries its own authority (a revocation, a withdrawn ticket) to the sequencer, under a key made
 * for this alone: the member of this home may be running, and two processes must not count with one device.
 */
import { randomBytes } from 'node:crypto';
import { deviceKey, fromUtf8, isWorldError, WorldError } from '@folkmoot/core';
import { createNetwork, type Libp2pNetwork } from '@folkmoot/network';
import { askJson } from '@folkmoot/node';
import { type RecordBody, recordBytes, type Said, signRecord } from '@folkmoot/records';
import { knownAddresses } from '../story/known-addresses.ts';
import type { Story } from '../story/story.ts';

type Bearer = 'revoke' | 'withdraw';

/** Throws `refused` with the log's reason, or `sequencer-unreachable`. */
export async function bring<K extends Bearer>({ run, state }: Story, kind: K, said: Said<K>): Promise<void> {
  const key = deviceKey(new Uint8Array(randomBytes(32)));
  const network = await createNetwork({ secret: key.secret });
  try {
    const { head, round, base } = state;
    const seen = { index: head.index, id: head.id };
    const common = { run: state.run, round: round.number, base, device: key.id, seq: 1, seen, term: state.term };
    const record = signRecord({ kind, ...common, ...said } as unknown as RecordBody, key);
    await reachSequencer(network, await knownAddresses(run, state.sequencer), state.sequencer);
    const request = JSON.parse(fromUtf8(recordBytes(record)));
    const answer = (await askJson(network, state.sequencer, 'submit', request)) as {
      accepted?: unknown;
      reason?: unknown;
    };
    if (answer?.accepted === true) return;
    throw new WorldError('refused', `The log refused it: ${String(answer?.reason).slice(0, 200)}.`);
  } finally {
    await network.close();
  }
}

async function reachSequencer(network: Libp2pNetwork, addresses: readonly string[], sequencer: string): Promise<void> {
  let cause: unknown;
  for (const address of addresses) {
    try {
      await network.connect(address);
      if (network.peers().includes(sequencer)) return;
    } catch (error) {
      if (!isWorldError(error)) throw error;
      cause = error;
    }
  }
  throw new WorldError('sequencer-unreachable', 'The member that orders this run’s log cannot be reached.', {
    facts: { sequencer, addresses: addresses.join(' ') },
    help: 'Nothing was changed. Try again when it runs.',
    cause,
  });
}
