/** The auditor of a vanished trainer: re-executes what was leased, from the round's start on, and shows the link. */
import { type Hash, isWorldError, sha256 } from '@folkmoot/core';
import type { Duty } from '@folkmoot/protocol';
import { leaseMark, rowsId, segmentLink, startLink } from '@folkmoot/records';
import { artifactSizes, likely } from './expectations.ts';
import type { Receipt } from './voice.ts';
import type { StateBytes } from './work.ts';
import type { Workbench } from './workbench.ts';

export type ReproduceDuty = Extract<Duty, { kind: 'reproduce' }>;

const RETRY_MS = 2000;

/** Says which link came out, or that it was another than the leased one, or could not be tried. */
export async function reproduce(bench: Workbench, duty: ReproduceDuty, signal: AbortSignal): Promise<Receipt> {
  const { trainer, segment, mark, round, base } = duty.reproduction;
  const link = await reexecute(bench, duty, signal);
  const said = { trainer, segment, link: link !== undefined && leaseMark(link) === mark ? link : null };
  return bench.voice.say('reproduced', said, { round, base });
}

async function reexecute(
  bench: Workbench,
  { reproduction }: ReproduceDuty,
  signal: AbortSignal,
): Promise<Hash | undefined> {
  const { round, seed, seat, skip, carryIn, base, segment: segments, trainer } = reproduction;
  const assignment = { round, seed, seat, skip, carriedSteps: carryIn.steps };
  let state = await startOf(bench, reproduction, signal);
  if (!state) return undefined;
  const startedMs = performance.now();
  let link = startLink(base, seed, seat, carryIn.moments);
  for (let segment = 1; segment <= segments; segment++) {
    const end = await bench.work.replay(assignment, segment, state, signal);
    if (!end) return undefined;
    state = end;
    const ids = { params: sha256(end.params), moments: sha256(end.moments) };
    link = segmentLink(link, ids, rowsId(seed, seat, skip + segment));
  }
  bench.notify({ kind: 'auditing', round, trainer, segment: segments, tookMs: performance.now() - startedMs });
  return link;
}

/** The base, and the moments with which the trainer began: where they are not public it has to come back with them. */
async function startOf(
  { artifacts, bases, log, charter, clock }: Workbench,
  { base, previous, carryIn, trainer }: ReproduceDuty['reproduction'],
  signal: AbortSignal,
): Promise<StateBytes | undefined> {
  const { auditMs } = charter.timing;
  const giveUpMs = clock.now() + Math.floor(auditMs / 3);
  const from = likely(log.state, trainer);
  for (;;) {
    try {
      const params = await bases.start(log.state, { base, previous }, signal);
      const wanted = { maxBytes: artifactSizes(charter).moments, from, signal, withinMs: Math.floor(auditMs / 5) };
      return { params, moments: await artifacts.get(carryIn.moments, wanted) };
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable')) throw error;
      if (clock.now() >= giveUpMs) return undefined;
      await clock.sleep(RETRY_MS, signal);
    }
  }
}
