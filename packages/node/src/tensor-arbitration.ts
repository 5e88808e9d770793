/**
 * Steps and operators of real training.
 *
 * The states after the steps come from the engine that trained. The operators of a step are run on `exact`, from the state
 * before it: their results must be equal to the bit on every machine, whatever the run's engine is. Where that is another
 * kind, only the optimizer's result, which is the claimed state after the step, may differ, by the one-step bound.
 */
import { type Hash, isWorldError, toHex, WorldError } from '@folkmoot/core';
import { type MomentSizes, microBatches, momentSizes, type ParameterLayout } from '@folkmoot/model';
import { type Charter, listBytes } from '@folkmoot/records';
import type { Engine, Program } from '@folkmoot/tensor';
import {
  hasNonFinite,
  OneStep,
  packBfloat16,
  readMoments,
  readParams,
  type Segment,
  unpackBfloat16,
} from '@folkmoot/training';
import {
  isWithinStep,
  leafOf,
  type Result,
  type State,
  StepOperators,
  type StepPlace,
  type StepState,
  stateParts,
} from '@folkmoot/verify';
import type { Arbitration, Claim, Claimed, Fetch, Keep, Place } from './arbitration.ts';
import type { Assignment, StateBytes } from './work.ts';

export interface ArbitrationParts {
  readonly charter: Charter;
  readonly layout: ParameterLayout;
  readonly train: Program;
  segment(assignment: Assignment, segment: number): Promise<Segment>;
  /** Does `task` with the engine that trains, alone on it. */
  training<T>(task: (engine: Engine) => Promise<T>): Promise<T>;
  /** Does `task` with an `exact` engine. */
  exactly<T>(task: (engine: Engine) => Promise<T>): Promise<T>;
}

const NOTHING: Keep = async () => {};

export class TensorArbitration implements Arbitration {
  readonly #parts: ArbitrationParts;
  readonly #sizes: MomentSizes;
  #made: Promise<Tools> | undefined;

  /** Frees what it made on the engines. */
  async free(): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    this.#made = undefined;
    await made?.operators.free();
    await made?.one.free();
  }

  constructor(parts: ArbitrationParts) {
    this.#parts = parts;
    this.#sizes = momentSizes(parts.charter.optimizer, parts.layout);
  }

  async steps(place: Place, signal: AbortSignal, keep: Keep = NOTHING, paid?: StateBytes): Promise<Hash[]> {
    const leaves: Hash[] = [];
    let before = this.#startOf(place);
    await this.#walk(place, Number.POSITIVE_INFINITY, signal, async (state, isLast) => {
      const isPaid = isLast && paid !== undefined && this.#leadsTo(before!, state, paid);
      leaves.push(await keepState(isPaid ? [paid.params, paid.moments] : stateParts(state, isLast), keep));
      before = state;
    });
    return leaves;
  }

  async operators(
    place: Place,
    step: number,
    signal: AbortSignal,
    keep: Keep = NOTHING,
    claimed?: Claimed,
  ): Promise<Hash[]> {
    return this.#operate(place, step, signal, keep, () => keep !== NOTHING, claimed);
  }

  async provide(
    place: Place,
    step: number,
    operator: number,
    signal: AbortSignal,
    keep: Keep,
    claimed?: Claimed,
  ): Promise<void> {
    // Whoever has another engine than the trainer cannot make its states again, and need not: it has fetched them.
    if (!claimed) await this.steps(place, signal, keep);
    const { operators } = await this.#tools();
    if (operator >= operators.count) return;
    const needs = new Set(operators.needsOf(operator));
    await this.#operate(place, step, signal, keep, (at) => needs.has(at), claimed);
  }

  async wrongStep(
    place: Place,
    steps: readonly Hash[],
    fetch: Fetch,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { batches, globalStep, deviceStep } = await this.#segmentOf(place);
    const { one } = await this.#tools();
    for (const [step, batch] of batches.entries()) {
      signal.throwIfAborted();
      const isLast = step === batches.length - 1;
      const before = await this.#claimedState(place, step, steps, fetch);
      const after = await this.#fetchState(steps[step]!, isLast, fetch);
      if (!before || !after) return step;
      const mine = await this.#parts.exactly(() => one.run(before, globalStep + step, batch, {}, deviceStep + step));
      if (!mine || !isWithinStep(this.#parts.layout, before, after, rounded(mine, isLast))) return step;
    }
    return undefined;
  }

  async follows(place: Place, claim: Claim, fetch: Fetch, signal: AbortSignal): Promise<boolean> {
    const { charter, layout } = this.#parts;
    const { step, operator, steps, operators: claimed } = claim;
    const { operators } = await this.#tools();
    if (steps.length !== charter.stepsPerSegment || claimed.length !== operators.count) return false;
    const before = await this.#claimedState(place, step, steps, fetch);
    if (!before) return false;
    const results = new Map<number, Result>();
    for (const need of operators.needsOf(operator)) {
      signal.throwIfAborted();
      const bytes = await fetch(claimed[need]!, operators.maxBytesOf(need));
      if (bytes.length !== operators.maxBytesOf(need)) return false;
      results.set(need, [bytes]);
    }
    const at = await this.#stepPlace(place, step);
    const mine = await this.#parts
      .exactly(() => operators.compute(operator, before, at, (need) => results.get(need)!))
      .catch((error) => {
        // An index outside of a table, say: nobody honest has made it.
        if (isWorldError(error, 'engine-run')) return [] as Result;
        throw error;
      });
    if (mine.length === 0) return false;
    if (leafOf(mine) === claimed[operator]) return true;
    if (charter.engine.kind === 'exact' || operator !== operators.count - 1) return false;
    const theirs = await this.#fetchState(claimed[operator]!, at.isLast, fetch);
    const own = this.#readState(mine, at.isLast);
    return own !== undefined && theirs !== undefined && isWithinStep(layout, before, theirs, own);
  }

  /** Whether the step from `before` to `mine`, the last of its segment, may have ended in `paid` when it was worked. */
  #leadsTo(before: StepState, mine: StepState, paid: StateBytes): boolean {
    const { charter, layout } = this.#parts;
    if (charter.engine.kind === 'exact') return false;
    const end = this.#readState([paid.params, paid.moments], true);
    return end !== undefined && isWithinStep(layout, before, end, rounded(mine, true));
  }

  /** All operators of a step; results of those that `wanted` names are kept. */
  async #operate(
    place: Place,
    step: number,
    signal: AbortSignal,
    keep: Keep,
    wanted: (operator: number) => boolean,
    claimed?: Claimed,
  ): Promise<Hash[]> {
    const before = await this.#before(place, step, signal, claimed);
    if (!before) return [];
    const { operators } = await this.#tools();
    const at = await this.#stepPlace(place, step);
    const kept: Result[] = [];
    const leaves = await this.#parts.exactly(() =>
      operators.run(before, at, signal, async (operator, result) => {
        if (wanted(operator)) kept.push(result);
        return undefined;
      }),
    );
    // Not on the engine, which others wait for.
    for (const result of kept) await keepState(result, keep);
    return leaves;
  }

  /** The state before step `step`: claimed by the trainer, or made here. */
  async #before(place: Place, step: number, signal: AbortSignal, claimed?: Claimed): Promise<StepState | undefined> {
    if (step === 0) return this.#startOf(place);
    if (claimed) return this.#claimedState(place, step, claimed.steps, claimed.fetch);
    let before: StepState | undefined;
    await this.#walk(place, step, signal, async (state) => {
      before = state;
    });
    return before;
  }

  /** Steps of the segment on the training engine, up to `count`; fewer where it diverges. */
  async #walk(
    place: Place,
    count: number,
    signal: AbortSignal,
    see: (state: StepState, isLast: boolean) => Promise<void>,
  ): Promise<void> {
    const { batches, globalStep, deviceStep } = await this.#segmentOf(place);
    let state = this.#startOf(place);
    const { training } = this.#parts;
    const one = await training((engine) => OneStep.create(this.#options(engine)));
    try {
      for (const [step, batch] of batches.slice(0, Math.min(count, batches.length)).entries()) {
        signal.throwIfAborted();
        const from: StepState | undefined = state;
        state = from && (await training(() => one.run(from, globalStep + step, batch, {}, deviceStep + step)));
        if (!state || hasNonFinite(state.params)) break;
        await see(state, step === batches.length - 1);
      }
    } finally {
      await training(() => one.free());
    }
  }

  #segmentOf({ assignment, segment }: Place): Promise<Segment> {
    return this.#parts.segment(assignment, segment);
  }

  async #stepPlace(place: Place, step: number): Promise<StepPlace> {
    const { batches, globalStep, deviceStep } = await this.#segmentOf(place);
    const isLast = step === batches.length - 1;
    return { batch: batches[step]!, globalStep: globalStep + step, deviceStep: deviceStep + step, isLast };
  }

  #startOf({ start: { params, moments } }: Place): StepState | undefined {
    const arena = readParams(params, this.#parts.layout.elements);
    const memory = readMoments(moments, this.#sizes);
    if (!arena.ok || !memory.ok) return undefined;
    return {
      params: arena.value,
      moments: { m: unpackBfloat16(memory.value.m), v: unpackBfloat16(memory.value.v) },
    };
  }

  async #claimedState(
    place: Place,
    step: number,
    steps: readonly Hash[],
    fetch: Fetch,
  ): Promise<StepState | undefined> {
    if (step === 0) return this.#startOf(place);
    return (await this.#fetchState(steps[step - 1]!, false, fetch)) as StepState | undefined;
  }

  /** The state of a leaf; `undefined` where that is no state of this model. */
  async #fetchState(leaf: Hash, isLast: boolean, fetch: Fetch): Promise<State | StepState | undefined> {
    const { elements } = this.#parts.layout;
    const { first, second } = this.#sizes;
    const bytes = isLast ? [4 * elements, 2 * (first + second)] : [4 * elements, 4 * first, 4 * second];
    const list = await fetch(leaf, 32 * bytes.length);
    if (list.length !== 32 * bytes.length) return undefined;
    const parts: Uint8Array[] = [];
    for (const [i, size] of bytes.entries()) parts.push(await fetch(toHex(list.subarray(32 * i, 32 * (i + 1))), size));
    return this.#readState(parts, isLast);
  }

  #readState(parts: Result, isLast: boolean): State | StepState | undefined {
    const { elements } = this.#parts.layout;
    const { first, second } = this.#sizes;
    const params = readParams(parts[0]!, elements);
    if (!params.ok) return undefined;
    if (isLast) {
      const moments = readMoments(parts[1]!, this.#sizes);
      return moments.ok ? { params: params.value, moments: moments.value } : undefined;
    }
    const m = readParams(parts[1]!, first);
    const v = second === 0 ? { ok: true as const, value: new Float32Array(0) } : readParams(parts[2]!, second);
    if (!m.ok || !v.ok || v.value.some((value) => value < 0)) return undefined;
    return { params: params.value, moments: { m: m.value, v: v.value } };
  }

  #options(engine: Engine) {
    const { charter, layout, train } = this.#parts;
    return { engine, train, layout, optimizer: charter.optimizer, microBatches: microBatches(charter) };
  }

  /** What runs on `exact`: made when first needed. */
  #tools(): Promise<Tools> {
    this.#made ??= this.#parts.exactly(async (engine) => ({
      operators: new StepOperators(this.#options(engine)),
      one: await OneStep.create(this.#options(engine)),
    }));
    this.#made.catch(() => {
      this.#made = undefined;
    });
    return this.#made;
  }
}

interface Tools {
  readonly operators: StepOperators;
  readonly one: OneStep;
}

/** A step's end as its leaf has it. */
function rounded(end: StepState, isLast: boolean): State | StepState {
  if (!isLast) return end;
  const { m, v } = end.moments;
  return { params: end.params, moments: { m: packBfloat16(m), v: packBfloat16(v) } };
}

/** Keeps the parts of a result, and the list of them where it has several; its leaf. */
async function keepState(parts: Result, keep: Keep): Promise<Hash> {
  for (const part of parts) await keep(part);
  if (parts.length > 1) await keep(listBytes(parts.map((part) => leafOf([part]))));
  return leafOf(parts);
}

/** An arbitration where no `exact` engine can be had. */
export function noExactEngine(): Promise<never> {
  throw new WorldError(
    'engine-unavailable',
    'A dispute needs the exact engine, and this member was started without one.',
    {
      help: 'Start it with the command line, which brings one.',
    },
  );
}
