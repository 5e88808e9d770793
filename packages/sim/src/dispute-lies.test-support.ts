/** What a trainer claims in a dispute about work that it never did: the truth as far as it goes, and then its own end. */
import { sha256 } from '@folkmoot/core';
import type { Place, Workbench } from '@folkmoot/node';
import { answerFrom, type DisputeDuty } from '@folkmoot/protocol';
import { listBytes, type Move, stateLeaf } from '@folkmoot/records';

export async function inventedAnswer(bench: Workbench, duty: DisputeDuty, signal: AbortSignal): Promise<Move> {
  if (!('game' in duty)) throw new Error('an answer is to a game');
  const { audit } = duty.found;
  const { work, artifacts, bases, log, charter } = bench;
  const { round, seed, seat, skip, carryIn, segment, opened, closed } = audit;
  const get = (id: string) => artifacts.get(id, { maxBytes: 4 * charter.parameters, from: [audit.trainer], signal });
  const params = segment === 1 ? await bases.start(log.state, audit, signal) : await get(opened!.params);
  const start = { params, moments: await get(opened!.moments) };
  const place: Place = { assignment: { round, seed, seat, skip, carriedSteps: carryIn.steps }, segment, start };
  const end = stateLeaf([closed!.endParams, closed!.endMoments]);
  const { game } = duty;
  const keep = (bytes: Uint8Array) => artifacts.put(bytes);
  const leaves =
    game.stage === 'steps'
      ? await work.arbitration.steps(place, signal, keep)
      : await work.arbitration.operators(place, game.step!.index, signal, keep);
  leaves[leaves.length - 1] = game.stage === 'steps' ? end : game.step!.hash;
  const bytes = listBytes(leaves);
  await artifacts.put(bytes);
  return answerFrom(game, leaves, sha256(bytes));
}
