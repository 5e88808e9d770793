/** A side of a dispute, or a judge: answers from what this device computes itself. */
import { type Hash, isWorldError, sha256 } from '@folkmoot/core';
import { answerFrom, type Claimed, type DisputeDuty, type Game, pointAt, pointAtFirst } from '@folkmoot/protocol';
import { listBytes, type Move, type Ruling } from '@folkmoot/records';
import type { Arbitration, Claimed as ClaimedStates, Keep } from './arbitration.ts';
import { DisputedSegment, ifAvailable } from './disputed-segment.ts';
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
    const segment = this.#segmentOf(duty, signal);
    const isSegment = duty.found.accusations[duty.accuser]!.part === 'segment';
    const isRight = isSegment
      ? (await this.#stepsOf(duty, segment, signal)).at(-1) === segment.end
      : await segment.encodes();
    return isRight ? this.#say(duty, { is: 'raise' }) : this.#rest(signal);
  }

  async #defend(duty: Playing, signal: AbortSignal): Promise<Receipt | undefined> {
    const { game } = duty;
    const segment = this.#segmentOf(duty, signal);
    const stage = game.stage === 'steps' ? 'steps' : 'operators';
    const leaves = await this.#claimOf(duty, stage, game.search, segment, signal);
    // What does not end in what was committed cannot be claimed.
    if (leaves.at(-1) !== (stage === 'steps' ? segment.end : game.step!.hash)) return this.#rest(signal);
    const bytes = listBytes(leaves);
    await this.#keeper(duty)(bytes);
    return this.#say(duty, answerFrom(game, leaves, sha256(bytes)));
  }

  /**
   * The trainer's claim of a stage: as it was `said` where the list is still at hand, since an engine may give other bits when it
   * is asked again; else as it is computed now.
   */
  async #claimOf(
    duty: Playing,
    stage: 'steps' | 'operators',
    said: Claimed | null,
    segment: DisputedSegment,
    signal: AbortSignal,
  ): Promise<readonly Hash[]> {
    const known = said && (await ifAvailable(() => segment.leavesOf(said)));
    if (known) return known;
    // Where bits may differ the accuser looks at the states themselves.
    if (stage === 'steps') return this.#stepsOf(duty, segment, signal, this.#isExact ? undefined : this.#keeper(duty));
    const leaves = await this.#fromClaimed(duty, segment, (from) => this.#operatorsOf(duty, segment, signal, from));
    // Operators are `exact`, and what the last of them gives is the trainer's own state all the same.
    return this.#isExact ? leaves : [...leaves.slice(0, -1), duty.game.step!.hash];
  }

  async #point(duty: Playing, signal: AbortSignal): Promise<Receipt | undefined> {
    const segment = this.#segmentOf(duty, signal);
    if (!this.#isExact) return this.#say(duty, await this.#pointAtWrong(duty, segment, signal));
    const isSteps = duty.game.stage === 'steps';
    const own = isSteps
      ? await this.#stepsOf(duty, segment, signal)
      : await this.#operatorsOf(duty, segment, signal, undefined);
    return this.#say(duty, pointAtFirst(duty.game, own));
  }

  /** Where bits may differ: the first step beyond the bound, in which operators are `exact` and must be equal. */
  async #pointAtWrong(duty: Playing, segment: DisputedSegment, signal: AbortSignal): Promise<Move> {
    const { game } = duty;
    const { fetch } = segment;
    const steps = await segment.leavesOf(game.steps ?? game.search!);
    // What is no list of that tree is pointed at, and judges find the same.
    if (!steps) return pointAt(game, 0);
    if (game.stage === 'operators')
      return pointAtFirst(game, await this.#operatorsOf(duty, segment, signal, { steps, fetch }));
    const step = await this.#arbitration.wrongStep(await segment.place(), steps, fetch, signal);
    return step === undefined ? { is: 'concede' } : pointAt(game, step);
  }

  /** Puts what judges need where they find it; once, and then stays at hand. */
  async #provide(duty: Playing, signal: AbortSignal): Promise<undefined> {
    const { game } = duty;
    const name = nameOf(duty);
    if (game.step && game.operator && !this.#provided.has(name)) {
      const keep = this.#keeper(duty);
      const segment = this.#segmentOf(duty, signal);
      if (this.#isTrainer(duty))
        for (const stage of ['steps', 'operators'] as const)
          await keep(listBytes(await this.#claimOf(duty, stage, game[stage], segment, signal)));
      const [place, step, operator] = [await segment.place(), game.step.index, game.operator.index];
      await this.#fromClaimed(duty, segment, (from) =>
        this.#arbitration.provide(place, step, operator, signal, keep, from),
      );
      this.#provided.add(name);
    }
    return this.#rest(signal);
  }

  /** Does `task` with the states that were claimed; the trainer makes them again where they are lost. On `exact` without. */
  async #fromClaimed<T>(
    duty: Playing,
    segment: DisputedSegment,
    task: (from?: ClaimedStates) => Promise<T>,
  ): Promise<T> {
    if (this.#isExact) return task();
    const withStates = async () => {
      const steps = await segment.leavesOf(duty.game.steps!);
      return { value: await task(steps && { steps, fetch: segment.fetch }) };
    };
    if (!this.#isTrainer(duty)) return (await withStates()).value;
    const done = await ifAvailable(withStates);
    return done ? done.value : task();
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
    const segment = this.#segmentOf(duty, signal);
    if (found.accusations[accuser]!.part === 'encode') return segment.encodes();
    const steps = await segment.leavesOf(game.steps!);
    const operators = await segment.leavesOf(game.operators!);
    if (!steps || !operators) return false;
    const claim = { step: game.step!.index, operator: game.operator!.index, steps, operators };
    return this.#arbitration.follows(await segment.place(), claim, segment.fetch, signal);
  }

  /** Own leaves of the steps; computed once, and once more where what is behind them is to be kept. */
  #stepsOf(duty: DisputeDuty, segment: DisputedSegment, signal: AbortSignal, keep?: Keep): Promise<Hash[]> {
    return this.#once(duty, keep ? 'steps, kept' : 'steps', async () => {
      const paid = this.#isExact ? undefined : await segment.paid();
      return this.#arbitration.steps(await segment.place(), signal, keep, paid);
    });
  }

  /** Own leaves of the operators of the step at hand; computed once. */
  #operatorsOf(
    duty: Playing,
    segment: DisputedSegment,
    signal: AbortSignal,
    from: ClaimedStates | undefined,
  ): Promise<Hash[]> {
    const { index } = duty.game.step!;
    return this.#once(duty, `operators of ${index}`, async () =>
      this.#arbitration.operators(await segment.place(), index, signal, undefined, from),
    );
  }

  #once({ found: { audit } }: DisputeDuty, what: string, make: () => Promise<Hash[]>): Promise<Hash[]> {
    const name = `${audit.round} ${audit.trainer} ${what}`;
    const known = this.#leaves.get(name);
    if (known) return known;
    const made = make();
    this.#leaves.set(name, made);
    made.catch(() => this.#leaves.delete(name));
    for (const old of [...this.#leaves.keys()].slice(0, -REMEMBERED)) this.#leaves.delete(old);
    return made;
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

  #segmentOf(duty: DisputeDuty, signal: AbortSignal): DisputedSegment {
    return new DisputedSegment(this.#bench, duty, signal);
  }

  #isTrainer({ found }: DisputeDuty): boolean {
    return found.audit.trainer === this.#bench.key.id;
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

const nameOf = ({ found: { audit }, accuser }: Playing) => `${audit.round} ${audit.trainer} ${accuser}`;
