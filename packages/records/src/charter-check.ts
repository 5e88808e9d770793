/** Reading a charter: the rules that its schema cannot say. */
import { type Canonical, canonicalBytes, type Hash, idOf } from '@folkmoot/core';
import { type Charter, type CodecRules, charterSchema, type OptimizerRules } from './charter.ts';
import { type Checked, canonicalOrNone, firstIssue, parseJson } from './record.ts';

/** The run's id: the hash of its charter. */
export function runId(charter: Charter): Hash {
  return idOf(charter as Canonical);
}

export function charterBytes(charter: Charter): Uint8Array {
  return canonicalBytes(charter as Canonical);
}

/** Checks a charter that arrived under the name `run`. */
export function parseCharter(bytes: Uint8Array, run: Hash): Checked<Charter> {
  const json = parseJson(bytes, 64 * 1024);
  if (!json.ok) return json;
  const parsed = charterSchema.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: `not a charter: ${firstIssue(parsed.error)}` };
  const charter = parsed.data;
  if (!canonicalOrNone(charter as Canonical)) return { ok: false, reason: 'the charter has no canonical form' };
  if (runId(charter) !== run) return { ok: false, reason: 'the charter is another run’s' };
  const reason = brokenRule(charter);
  return reason === undefined ? { ok: true, value: charter } : { ok: false, reason };
}

/** The first rule that `charter` breaks, or `undefined`. */
export function brokenRule(charter: Charter): string | undefined {
  const { stepsPerRound, stepsPerSegment, dataset, batchRows, committee, optimizer, programs } = charter;
  if (stepsPerRound % stepsPerSegment !== 0) return 'stepsPerRound must be a multiple of stepsPerSegment';
  if (dataset.trainRows < batchRows) return 'the dataset is smaller than one batch';
  if (committee.maxTrainers < committee.minMembers) return 'maxTrainers must be at least minMembers';
  if (committee.maxWitnesses < committee.minMembers) return 'maxWitnesses must be at least minMembers';
  if (charter.lease && charter.lease.lapseMs < 2 * charter.lease.everyMs)
    return 'lapseMs must be at least twice everyMs, or one lost lease is an absence';
  if ((programs.muon !== undefined) !== (optimizer.kind === 'muon'))
    return 'there is a muon program where the optimizer is Muon, and nowhere else';
  const { codec } = charter;
  if (codec.kind === 'sparse' && codec.aheadFrom !== undefined && codec.ahead === undefined)
    return 'aheadFrom says from when on trainers start ahead, and they never do';
  return brokenMicroBatches(charter) ?? brokenSchedule(optimizer);
}

/** What is wrong with optimizer rules that a person has put together, or `undefined`. */
export function brokenOptimizer(rules: OptimizerRules): string | undefined {
  const parsed = charterSchema.shape.optimizer.safeParse(rules);
  return parsed.success ? brokenSchedule(parsed.data) : firstIssue(parsed.error);
}

/** What is wrong with a codec and an aggregator that a person has put together, or `undefined`. */
export function brokenExchange(rules: Pick<Charter, 'codec' | 'aggregator'>): string | undefined {
  const parsed = charterSchema.pick({ codec: true, aggregator: true }).safeParse(rules);
  return parsed.success ? undefined : firstIssue(parsed.error);
}

function brokenMicroBatches({ batchRows, microRows, programs }: Charter): string | undefined {
  if (microRows !== undefined && (microRows >= batchRows || batchRows % microRows !== 0))
    return 'microRows must divide batchRows, and be smaller';
  if ((programs.accumulate !== undefined) !== (microRows !== undefined))
    return 'there is an accumulate program where there are micro-batches, and nowhere else';
  return undefined;
}

function brokenSchedule({ schedule, warmupSteps }: OptimizerRules): string | undefined {
  if (schedule.kind === 'constant') return undefined;
  if (schedule.steps <= warmupSteps) return 'the schedule must be longer than its warm-up';
  if (schedule.kind === 'wsd' && schedule.decaySteps > schedule.steps - warmupSteps)
    return 'decaySteps must fit between the warm-up and the end of the schedule';
  return undefined;
}

/** ρ in `round`: the share of its error memory that a trainer takes off its start; `undefined` for none. */
export function aheadIn(codec: CodecRules, round: number): string | undefined {
  return codec.kind === 'sparse' && round >= (codec.aheadFrom ?? 1) ? codec.ahead : undefined;
}

/** Segments in a round: K. */
export function segmentsPerRound(charter: Charter): number {
  return charter.stepsPerRound / charter.stepsPerSegment;
}

/** Segments of a seat that are left to whoever begins after the first `skip`. */
export function segmentsAfter(charter: Charter, { skip }: { readonly skip: number }): number {
  return segmentsPerRound(charter) - skip;
}
