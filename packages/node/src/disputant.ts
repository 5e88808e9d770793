/** A side of a dispute, or a judge: answers from what this device computes itself. */
import { type Hash, isWorldError, sha256, toHex } from '@folkmoot/core';
import { answerFrom, type Claimed, type DisputeDuty, type Game, pointAt, pointAtFirst } from '@folkmoot/protocol';
import { claimTree, listBytes, type Move, type Ruling, stateLeaf } from '@folkmoot/records';
import type { Arbitration, Claimed as ClaimedStates, Fetch, Keep, Place } from './arbitration.ts';
import { artifactSizes } from './expectations.ts';
import { startParams } from './start-params.ts';
import type { Receipt } from './voice.ts';
import type { Workbench } from './workbench.ts';

type Playing = Extract<DisputeDuty, { game: Game }>;

const RETRY_MS = 2000;
/** Disputes whose leaves are remembered. */
const REMEMBERED = 8;

export class Disputant {
  readonly #bench: Workbench;
  readonly #leaves = new Map<string, Promise<Hash[]>>();
  /** Artifacts that a running dispute asks for, by dispute. */
  readonly #kept = new Map<string, Set<Hash>>();
  readonly #provided = new Set<string>();

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  async perform(duty: DisputeDuty, signal: AbortSignal): Promise<Receipt | undefined> {
    switch (duty.kind) {
      case 'contest':
        return this.#contest(duty, signal);
      case 'accuse':
        return this.#say(duty, { is: 'raise' });
      case 'defend':
        return this.#defend(duty, signal);
      case 'point':
        return this.#point(duty, signal);
      case 'provide':
        return this.#provide(duty, signal);
      case 'rule':
        return this.#say(duty, { is: 'rule', outcome: await this.#ruling(duty, signal) });
    }
  }

  /** Artifacts that must not be dropped while a dispute runs. */
  needed(): Hash[] {
    return [...this.#kept.values()].flatMap((ids) => [...ids]);
  }

  /** Contests where the work comes out again as it was committed to: what cannot be shown cannot be defended. */
  async #contest(duty: DisputeDuty, signal: AbortSignal): Promise<Receipt | undefined> {
    const { accusations } = duty.found;
    if (accusations[duty.accuser]!.part === 'segment') {
      const place = await this.#place(duty, this.#fetcher(duty, signal), signal);
      const leaves = await this.#leavesOf(duty, place, undefined, signal);
      if (leaves.at(-1) !== endOf(duty)) return this.#rest(signal);
    } else if (!(await this.#encodes(duty, this.#fetcher(duty, signal), signal))) return this.#rest(signal);
    return this.#say(duty, { is: 'raise' });
  }

  async #defend(duty: Playing, signal: AbortSignal): Promise<Receipt | undefined> {
    // Where bits may differ the accuser looks at the states themselves.
    const keep = this.#isExact || duty.game.stage !== 'steps' ? undefined : this.#keeper(duty);
    const leaves = this.#asClaimed(duty, await this.#ownLeaves(duty, signal, keep), duty.game.stage);
    // What does not end in what was committed cannot be claimed.
    if (leaves.at(-1) !== endOf(duty)) return this.#rest(signal);
    const bytes = listBytes(leaves);
    await this.#keeper(duty)(bytes);
    return this.#say(duty, answerFrom(duty.game, leaves, sha256(bytes)));
  }

  async #point(duty: Playing, signal: AbortSignal): Promise<Receipt | undefined> {
    const move = this.#isExact
      ? pointAtFirst(duty.game, await this.#ownLeaves(duty, signal))
      : await this.#pointAtWrong(duty, signal);
    return this.#say(duty, move);
  }

  /** Where bits may differ: the first step beyond the bound, in which operators are `exact` and must be equal. */
  async #pointAtWrong(duty: Playing, signal: AbortSignal): Promise<Move> {
    const { game } = duty;
    const fetch = this.#fetcher(duty, signal);
    const place = await this.#place(duty, fetch, signal);
    const steps = await claimed(game.steps ?? game.search!, fetch);
    // What is no list of that tree is pointed at, and judges find the same.
    if (!steps) return pointAt(game, 0);
    if (game.stage === 'operators')
      return pointAtFirst(
        game,
        await this.#leavesOf(duty, place, game.step!.index, signal, undefined, { steps, fetch }),
      );
    const step = await this.#arbitration.wrongStep(place, steps, fetch, signal);
    return step === undefined ? { is: 'concede' } : pointAt(game, step);
  }

  /** Puts what judges need where they find it; once, and then stays at hand. */
  async #provide(duty: Playing, signal: AbortSignal): Promise<undefined> {
    const { game } = duty;
    const name = nameOf(duty);
    if (game.step && game.operator && !this.#provided.has(name)) {
      const keep = this.#keeper(duty);
      const fetch = this.#fetcher(duty, signal);
      const place = await this.#place(duty, fetch, signal);
      const isTrainer = duty.found.audit.trainer === this.#bench.key.id;
      if (isTrainer)
        for (const [stage, step] of [['steps'], ['operators', game.step.index]] as const)
          await keep(listBytes(this.#asClaimed(duty, await this.#leavesOf(duty, place, step, signal), stage)));
      const steps = isTrainer || this.#isExact ? undefined : await claimed(game.steps!, fetch);
      const from = steps && { steps, fetch };
      await this.#arbitration.provide(place, game.step.index, game.operator.index, signal, keep, from);
      this.#provided.add(name);
    }
    return this.#rest(signal);
  }

  /** Where bits may differ, operators are `exact`, and what the last of them gives is the trainer's own state all the same. */
  #asClaimed({ game }: Playing, leaves: readonly Hash[], stage: Game['stage']): readonly Hash[] {
    return stage === 'steps' || this.#isExact ? leaves : [...leaves.slice(0, -1), game.step!.hash];
  }

  /** Nothing to say now: the duty is looked at again after a while. */
  async #rest(signal: AbortSignal): Promise<undefined> {
    await this.#bench.clock.sleep(10 * RETRY_MS, signal);
    return undefined;
  }

  async #ruling(duty: Playing, signal: AbortSignal): Promise<Ruling> {
    const { clock, charter } = this.#bench;
    const giveUpMs = clock.now() + charter.timing.auditMs;
    for (;;) {
      try {
        return (await this.#isRight(duty, signal)) ? 'accuser' : 'trainer';
      } catch (error) {
        if (!isWorldError(error, 'artifact-unavailable')) throw error;
        if (clock.now() >= giveUpMs) return 'unavailable';
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  async #isRight(duty: Playing, signal: AbortSignal): Promise<boolean> {
    const { game, found, accuser } = duty;
    const fetch = this.#fetcher(duty, signal);
    if (found.accusations[accuser]!.part === 'encode') return this.#encodes(duty, fetch, signal);
    const steps = await claimed(game.steps!, fetch);
    const operators = await claimed(game.operators!, fetch);
    if (!steps || !operators) return false;
    const claim = { step: game.step!.index, operator: game.operator!.index, steps, operators };
    return this.#arbitration.follows(await this.#place(duty, fetch, signal), claim, fetch, signal);
  }

  async #encodes(duty: DisputeDuty, fetch: Fetch, signal: AbortSignal): Promise<boolean> {
    const { audit } = duty.found;
    const { work, charter } = this.#bench;
    const sizes = artifactSizes(charter);
    const start = await this.#roundStart(duty, fetch, signal);
    const last = await fetch(audit.closed!.lastParams, sizes.params);
    const mine = work.encode(start, last, await fetch(audit.carryIn.error, sizes.error));
    if (!mine) return false;
    return sha256(mine.update) === audit.update && sha256(mine.errorOut) === audit.commit.errorOut;
  }

  async #ownLeaves(duty: Playing, signal: AbortSignal, keep?: Keep): Promise<Hash[]> {
    const place = await this.#place(duty, this.#fetcher(duty, signal), signal);
    return this.#leavesOf(duty, place, duty.game.stage === 'steps' ? undefined : duty.game.step!.index, signal, keep);
  }

  /** Own leaves of the steps, or of the operators of step `step`: computed once. */
  #leavesOf(
    duty: DisputeDuty,
    place: Place,
    step: number | undefined,
    signal: AbortSignal,
    keep?: Keep,
    from?: ClaimedStates,
  ): Promise<Hash[]> {
    const name = `${duty.found.audit.round} ${duty.found.audit.trainer} ${step}`;
    const known = this.#leaves.get(name);
    if (known) return known;
    const made =
      step === undefined
        ? this.#arbitration.steps(place, signal, keep)
        : this.#arbitration.operators(place, step, signal, keep, from);
    this.#leaves.set(name, made);
    made.catch(() => this.#leaves.delete(name));
    for (const old of [...this.#leaves.keys()].slice(0, -REMEMBERED)) this.#leaves.delete(old);
    return made;
  }

  /** Where the round started, which follows from bases and memory that the log names. */
  #roundStart({ found: { audit } }: DisputeDuty, fetch: Fetch, signal: AbortSignal): Promise<Uint8Array> {
    const { error } = artifactSizes(this.#bench.charter);
    return startParams(this.#bench, audit, () => fetch(audit.carryIn.error, error), signal);
  }

  async #place(duty: DisputeDuty, fetch: Fetch, signal: AbortSignal): Promise<Place> {
    const { audit } = duty.found;
    const sizes = artifactSizes(this.#bench.charter);
    const { round, seed, seat, carryIn, segment, opened } = audit;
    const params =
      segment === 1 ? await this.#roundStart(duty, fetch, signal) : await fetch(opened!.params, sizes.params);
    const moments = await fetch(opened!.moments, sizes.moments);
    return { assignment: { round, seed, seat, carriedSteps: carryIn.steps }, segment, start: { params, moments } };
  }

  #fetcher({ found: { audit }, accuser }: DisputeDuty, signal: AbortSignal): Fetch {
    const { artifacts, charter } = this.#bench;
    const withinMs = Math.floor(charter.timing.auditMs / 5);
    const from = [audit.trainer, accuser, ...audit.auditors];
    return (id, maxBytes) => artifacts.get(id, { maxBytes, from, signal, withinMs });
  }

  #keeper(duty: Playing): (bytes: Uint8Array) => Promise<Hash> {
    const name = nameOf(duty);
    const ids = this.#kept.get(name) ?? new Set();
    this.#kept.set(name, ids);
    for (const old of [...this.#kept.keys()].slice(0, -REMEMBERED)) this.#kept.delete(old);
    return async (bytes) => {
      const id = await this.#bench.artifacts.put(bytes);
      ids.add(id);
      return id;
    };
  }

  get #isExact(): boolean {
    return this.#bench.charter.engine.kind === 'exact';
  }

  get #arbitration(): Arbitration {
    return this.#bench.work.arbitration;
  }

  #say(duty: DisputeDuty, move: Move): Promise<Receipt> {
    const { audit } = duty.found;
    const turn = 'game' in duty ? duty.game.moves : 0;
    return this.#bench.voice.say('dispute', { trainer: audit.trainer, accuser: duty.accuser, turn, move }, audit);
  }
}

/** The leaves of a claim; `undefined` where its artifact is not the list that its tree was made of. */
async function claimed({ list, leaves, root }: Claimed, fetch: Fetch): Promise<Hash[] | undefined> {
  const bytes = await fetch(list, 32 * leaves);
  if (bytes.length !== 32 * leaves) return undefined;
  const hashes = Array.from({ length: leaves }, (_, i) => toHex(bytes.subarray(32 * i, 32 * (i + 1))));
  return claimTree(hashes)[0]![0] === root ? hashes : undefined;
}

/** The leaf in which the trainer's claim must end. */
function endOf(duty: DisputeDuty): Hash {
  const { endParams, endMoments } = duty.found.audit.closed!;
  const step = 'game' in duty && duty.game.stage === 'operators' ? duty.game.step : null;
  return step?.hash ?? stateLeaf([endParams, endMoments]);
}

const nameOf = ({ found: { audit }, accuser }: Playing) => `${audit.round} ${audit.trainer} ${accuser}`;
