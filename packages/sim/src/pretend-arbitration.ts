/**
 * Pretended steps and operators: each is a hash of what it depends on, chained, so that a dispute has something to find.
 *
 * The parameters and moments of a state between two steps stay those of the segment's start; a third part is the chain. The
 * last operator of the last step makes the end of the segment from them, as `PretendWork` does.
 */
import { concat, fromHex, type Hash, hashOf, sha256, toHex } from '@folkmoot/core';
import type { Arbitration, Claim, Claimed, Fetch, Keep, Place, StateBytes } from '@folkmoot/node';
import { listBytes, stateLeaf } from '@folkmoot/records';

/** Operators of a pretended step. */
export const PRETEND_OPERATORS = 40;

/** Ends the segment from its start. */
export type PretendEnd = (place: Place) => StateBytes;

export class PretendArbitration implements Arbitration {
  readonly #steps: number;
  readonly #end: PretendEnd;

  constructor(steps: number, end: PretendEnd) {
    this.#steps = steps;
    this.#end = end;
  }

  async steps(place: Place, _signal: AbortSignal, keep: Keep = async () => {}): Promise<Hash[]> {
    const leaves: Hash[] = [];
    let state = startParts(place);
    for (let step = 0; step < this.#steps; step++) {
      const outputs = chainOf(state, step).map((output) => sha256(output));
      state = this.#partsAfter(place, step, outputs, state);
      await keepState(state, keep);
      leaves.push(stateLeaf(state.map((part) => sha256(part))));
    }
    return leaves;
  }

  async operators(
    place: Place,
    step: number,
    _signal: AbortSignal,
    keep: Keep = async () => {},
    claimed?: Claimed,
  ): Promise<Hash[]> {
    if (claimed)
      return this.#operatorsFrom(place, step, await this.#stateBefore(place, step, claimed.steps, claimed.fetch), keep);
    let state = startParts(place);
    for (let at = 0; at < step; at++)
      state = this.#partsAfter(
        place,
        at,
        chainOf(state, at).map((b) => sha256(b)),
        state,
      );
    return this.#operatorsFrom(place, step, state, keep);
  }

  async #operatorsFrom(place: Place, step: number, state: Uint8Array[], keep: Keep): Promise<Hash[]> {
    const outputs = chainOf(state, step);
    for (const output of outputs) await keep(output);
    const leaves = outputs.map((output) => sha256(output));
    const end = this.#partsAfter(place, step, leaves, state);
    leaves[PRETEND_OPERATORS - 1] = stateLeaf(end.map((part) => sha256(part)));
    return leaves;
  }

  async provide(
    place: Place,
    step: number,
    _operator: number,
    signal: AbortSignal,
    keep: Keep,
    claimed?: Claimed,
  ): Promise<void> {
    if (!claimed) await this.steps(place, signal, keep);
    await this.operators(place, step, signal, keep, claimed);
  }

  async wrongStep(
    place: Place,
    steps: readonly Hash[],
    fetch: Fetch,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    for (let step = 0; step < steps.length; step++) {
      const before = await this.#stateBefore(place, step, steps, fetch);
      const leaves = chainOf(before, step).map((output) => sha256(output));
      const after = this.#partsAfter(place, step, leaves, before);
      signal.throwIfAborted();
      if (stateLeaf(after.map((part) => sha256(part))) !== steps[step]) return step;
    }
    return undefined;
  }

  async follows(place: Place, claim: Claim, fetch: Fetch, _signal: AbortSignal): Promise<boolean> {
    const { step, operator, steps, operators } = claim;
    if (operators.length !== PRETEND_OPERATORS || steps.length !== this.#steps) return false;
    const before = await this.#stateBefore(place, step, steps, fetch);
    const input = operator === 0 ? link(before) : await fetch(operators[operator - 1]!, 32);
    if (operator < PRETEND_OPERATORS - 1) return operators[operator] === sha256(operatorOf(step, operator, input));
    const last = sha256(operatorOf(step, operator, input));
    const after = this.#partsAfter(place, step, [...operators.slice(0, -1), last], before);
    return operators[operator] === stateLeaf(after.map((part) => sha256(part)));
  }

  async #stateBefore(place: Place, step: number, steps: readonly Hash[], fetch: Fetch): Promise<Uint8Array[]> {
    if (step === 0) return startParts(place);
    const list = await fetch(steps[step - 1]!, 96);
    const ids = Array.from({ length: list.length / 32 }, (_, i) => toHex(list.subarray(32 * i, 32 * (i + 1))));
    return Promise.all(ids.map((id) => fetch(id, 4096)));
  }

  #partsAfter(place: Place, step: number, outputs: readonly Hash[], [params, moments]: Uint8Array[]): Uint8Array[] {
    if (step < this.#steps - 1) return [params!, moments!, fromHex(outputs[PRETEND_OPERATORS - 1]!)];
    const end = this.#end({ ...place, start: { params: params!, moments: moments! } });
    return [end.params, end.moments];
  }
}

function startParts({ start }: Place): Uint8Array[] {
  return [start.params, start.moments];
}

/** What the first operator starts from. */
function link(state: readonly Uint8Array[]): Uint8Array {
  return fromHex(sha256(concat([...state])));
}

function operatorOf(step: number, operator: number, input: Uint8Array): Uint8Array {
  return fromHex(hashOf('pretend-operator', step, operator, toHex(input)));
}

/** What the operators of a step give, one after the other. */
function chainOf(state: readonly Uint8Array[], step: number): Uint8Array[] {
  const outputs: Uint8Array[] = [];
  for (let operator = 0; operator < PRETEND_OPERATORS; operator++)
    outputs.push(operatorOf(step, operator, outputs.at(-1) ?? link(state)));
  return outputs;
}

async function keepState(parts: readonly Uint8Array[], keep: Keep): Promise<void> {
  for (const part of parts) await keep(part);
  await keep(listBytes(parts.map((part) => sha256(part))));
}
