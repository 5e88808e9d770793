/** The roles of one device: each duty goes to whoever does it. */
import { type Hash, isWorldError } from '@folkmoot/core';
import { type DisputeDuty, type Duty, zeroCarry } from '@folkmoot/protocol';
import { Auditor } from './auditor.ts';
import type { Conduct } from './conduct.ts';
import { Disputant } from './disputant.ts';
import { reproduce } from './reproducer.ts';
import { scoreHelp } from './scorer.ts';
import { Trainer } from './trainer.ts';
import type { Receipt } from './voice.ts';
import { Witness } from './witness.ts';
import type { Workbench } from './workbench.ts';

export class Roles {
  readonly trainer: Trainer;
  readonly witness: Witness;
  readonly auditor: Auditor;
  readonly #disputant: Disputant;
  readonly #bench: Workbench;
  readonly #conduct: Conduct | undefined;

  constructor(bench: Workbench, conduct?: Conduct, seedChainLinks?: number) {
    this.#bench = bench;
    this.#conduct = conduct;
    this.trainer = new Trainer(bench, conduct?.offer);
    this.witness = new Witness(bench, seedChainLinks);
    this.auditor = new Auditor(bench);
    this.#disputant = new Disputant(bench);
  }

  /** Does the duty as this member's conduct has it. */
  behave(duty: Duty, signal: AbortSignal): Promise<unknown> {
    const honest = (like = duty) => this.#perform(like, signal);
    return this.#conduct?.perform?.(this.#bench, duty, honest, signal) ?? honest();
  }

  /** Ready again; with a declared reset where the carried state is gone from this disk. */
  async sayReady(tip = this.witness.tip()): Promise<Receipt> {
    const { artifacts, key, work, log, charter, voice } = this.#bench;
    const { store } = artifacts;
    const { carry } = log.state.members[key.id] ?? { carry: zeroCarry(charter) };
    const reset = (await store.size(carry.moments)) === undefined || (await store.size(carry.error)) === undefined;
    return voice.say('ready', { tip, engine: work.engineName, reset });
  }

  /** Artifacts that a role may still be asked for. */
  async needed(): Promise<Hash[]> {
    return [...(await this.trainer.openable()), ...(await this.auditor.needed()), ...this.#disputant.needed()];
  }

  async #perform(duty: Duty, signal: AbortSignal): Promise<unknown> {
    switch (duty.kind) {
      case 'ready':
        return this.sayReady();
      case 'train':
        return this.#train(duty, signal);
      case 'answer':
        return this.#bench.voice.say('alive', { seat: duty.seat }, duty);
      case 'reveal':
        return this.trainer.reveal(duty);
      case 'attest':
        return this.witness.attest(duty, signal);
      case 'finalize':
        return this.witness.finalize(duty, signal);
      case 'seal':
        return this.witness.seal(duty);
      case 'open':
        return this.trainer.open(duty.audit);
      case 'close':
        return this.trainer.close(duty.audit);
      case 'audit':
        return this.auditor.audit(duty.audit, signal);
      case 'judge':
        return this.auditor.judge(duty.audit, signal);
      case 'score':
        return scoreHelp(this.#bench, duty, signal);
      case 'reproduce':
        return reproduce(this.#bench, duty, signal);
      default:
        return this.#disputant.perform(duty, signal);
    }
  }

  async #train(duty: Extract<Duty, { kind: 'train' }>, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.trainer.train(duty, signal);
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable') && !isWorldError(error, 'artifact-corrupt')) throw error;
      // The carried state is gone: sit this round out, and start the next one from zeros.
      await this.sayReady();
      throw error;
    }
  }
}

/** Tells duties apart: one of the same name is under way already. */
export function dutyName(duty: Duty): string {
  if ('audit' in duty) return `${duty.kind} ${duty.audit.round} ${duty.audit.trainer} ${duty.audit.auditors.length}`;
  if ('found' in duty) return disputeName(duty);
  if (duty.kind === 'ready') return 'ready';
  if (duty.kind === 'reproduce') {
    const { round, trainer } = duty.reproduction;
    return `reproduce ${round} ${trainer}`;
  }
  if (duty.kind === 'train') return `train ${duty.round} ${duty.seed}`;
  return 'draw' in duty ? `${duty.kind} ${duty.round} ${duty.draw}` : `${duty.kind} ${duty.round}`;
}

/** With the number of moves: an answer to an older one must not be taken for an answer to this. */
function disputeName(duty: DisputeDuty): string {
  const { round, trainer } = duty.found.audit;
  return `${duty.kind} ${round} ${trainer} ${duty.accuser} ${'game' in duty ? duty.game.moves : ''}`;
}
