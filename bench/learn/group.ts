/** Members who take turns on one engine: what a run does without the network, round by round. */
import { assert, below, bytesOf, hashOf, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import { assignedRows, type RowBatch } from '@folkmoot/data';
import { evaluateProgram, initialParameters, trainProgram } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import type { Engine } from '@folkmoot/tensor';
import {
  aheadOfMemory,
  decodeUpdate,
  Evaluator,
  encodeUpdate,
  lookAhead,
  packBfloat16,
  type RoundResult,
  type Submission,
  unpackBfloat16,
  zeroError,
} from '@folkmoot/training';
import { type Arm, at, stepsBefore } from './arm.ts';
import { type Carried, createInner, type Inner } from './inner.ts';
import { lies } from './liars.ts';
import { type Merged, merge } from './merges.ts';
import { LAYOUT, MODEL, type Text } from './text.ts';
import { bitsTried, tryCodec } from './tried-codec.ts';

const EVALUATION_ROWS = 32;

interface Member {
  carried: Carried;
  error: Uint16Array;
  /** Inner steps since the moments were zeros. */
  steps: number;
}

interface Offered extends Submission {
  readonly bytes: Uint8Array;
}

export interface RoundReport {
  readonly trainLoss: number;
  /** Bytes of the updates that were offered. */
  readonly bytes: number;
  readonly dropped: number;
  readonly honestDropped: number;
  /** Members that came to another base, where everybody merges. */
  readonly disagreements: number;
  readonly meanNormShare?: number;
}

export class Group {
  readonly #arm: Arm;
  readonly #seed: number;
  readonly #text: Text;
  readonly #inner: Inner;
  readonly #evaluator: Evaluator;
  readonly #members: Member[];
  readonly #chance: SeededRandom;
  #base: Float32Array;
  #previous: Float32Array;

  static async create(arm: Arm, seed: number, text: Text, engine: Engine): Promise<Group> {
    const train = trainProgram(MODEL, arm.rows);
    const { optimizer, innerState = 'bf16' } = arm;
    const inner = await createInner({ engine, train, layout: LAYOUT, optimizer }, innerState);
    const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, EVALUATION_ROWS), LAYOUT);
    return new Group(arm, seed, text, inner, evaluator);
  }

  private constructor(arm: Arm, seed: number, text: Text, inner: Inner, evaluator: Evaluator) {
    this.#arm = arm;
    this.#seed = seed;
    this.#text = text;
    this.#inner = inner;
    this.#evaluator = evaluator;
    this.#base = initialParameters(MODEL, sha256(utf8(`learn ${seed}`)));
    this.#previous = this.#base;
    this.#chance = new SeededRandom(`learn ${seed} chance`);
    this.#members = Array.from({ length: arm.members }, () => ({
      carried: inner.zero(),
      error: zeroError(LAYOUT.elements),
      steps: 0,
    }));
  }

  get baseHash(): string {
    return sha256(bytesOf(this.#base));
  }

  /** Hold-out loss of the base, nats per token (here: per byte). */
  async loss(): Promise<number> {
    return this.#evaluator.loss(this.#base, this.#text.holdout);
  }

  /** Every honest member trains, liars lie, some updates are lost, the rest moves the base. */
  async round(round: number): Promise<RoundReport> {
    const codec = at(this.#arm.codec, round);
    const liars = this.#arm.attack?.liars ?? 0;
    const honest = this.#members.slice(liars);
    let trainLoss = 0;
    const results: RoundResult[] = [];
    const before = honest.map((member) => ({ ...member }));
    for (const member of honest) {
      const seat = this.#members.indexOf(member);
      const { result, loss } = await this.#train(round, seat, member, codec !== 'none' && codec.kind === 'sparse');
      results.push(result);
      trainLoss += loss / honest.length;
    }
    if (codec === 'none') {
      this.#base = results[0].end;
      return { trainLoss, bytes: 0, dropped: 0, honestDropped: 0, disagreements: 0 };
    }
    const { submissions, bytes } = this.#offer(round, codec, honest, results);
    const arrived = submissions.filter(({ key }) => {
      if (!this.#isLost()) return true;
      const index = honest.findIndex((_, i) => key === `seat ${i}`);
      if (index >= 0) this.#lose(honest[index], before[index], results[index], codec);
      return false;
    });
    if (arrived.length === 0) return { trainLoss, bytes, dropped: 0, honestDropped: 0, disagreements: 0 };
    const merged = merge(arrived, LAYOUT.elements, this.#arm.merge);
    const disagreements = this.#arm.everybodyMerges ? this.#disagreements(codec, arrived, merged) : 0;
    this.#step(merged, Number(at(this.#arm.outerRate, round)));
    const honestDropped = merged.dropped.filter((key) => key.startsWith('seat')).length;
    return {
      trainLoss,
      bytes,
      dropped: merged.dropped.length,
      honestDropped,
      disagreements,
      meanNormShare: merged.meanNormShare,
    };
  }

  async free(): Promise<void> {
    await this.#inner.free();
    await this.#evaluator.free();
  }

  async #train(
    round: number,
    seat: number,
    member: Member,
    hasError: boolean,
  ): Promise<{ result: RoundResult; loss: number }> {
    const { ahead, aheadFrom = 0, innerState } = this.#arm;
    const shared = this.#start();
    const isAhead = ahead !== undefined && hasError && round >= aheadFrom;
    const base = isAhead ? aheadOfMemory(shared, member.error, ahead) : shared;
    const globalStep = stepsBefore(this.#arm, round);
    const fresh = innerState === 'fresh';
    const carried = fresh ? this.#inner.zero() : member.carried;
    const steps = { globalStep, deviceStep: fresh ? 0 : member.steps };
    const end = await this.#inner.train(base, carried, await this.#batches(round, seat), steps);
    member.carried = end.carried;
    member.steps += at(this.#arm.steps, round);
    return { result: { base, end: end.params, errorIn: member.error }, loss: end.loss };
  }

  /** Where the round starts, for all members. */
  #start(): Float32Array {
    const { momentum } = this.#arm;
    return momentum === undefined ? this.#base : lookAhead(this.#base, this.#previous, momentum);
  }

  #offer(round: number, codec: CodecRules, honest: readonly Member[], results: readonly RoundResult[]) {
    const submissions: Offered[] = [];
    let bytes = 0;
    const offer = (key: string, result: RoundResult): Uint16Array => {
      const { tried } = this.#arm;
      if (tried && codec.kind === 'sparse') {
        const { update, errorOut } = tryCodec(LAYOUT, tried, result, round);
        submissions.push({ key, update, bytes: new Uint8Array() });
        bytes += Math.ceil((bitsTried(tried) * LAYOUT.elements) / 8);
        return errorOut;
      }
      const encoded = encodeUpdate(codec, LAYOUT, result);
      if (!encoded.ok) throw new Error(encoded.reason);
      const decoded = decodeUpdate(codec, LAYOUT, encoded.bytes);
      if (!decoded.ok) throw new Error(decoded.reason);
      submissions.push({ key, update: decoded.update, bytes: encoded.bytes });
      bytes += encoded.bytes.length;
      return encoded.errorOut;
    };
    for (const [i, member] of honest.entries()) member.error = offer(`seat ${i}`, results[i]);
    const { attack } = this.#arm;
    if (attack) {
      const nothing = zeroError(LAYOUT.elements);
      const base = this.#start();
      const ends = lies(attack.kind, attack.liars, base, results, `lies ${this.#seed} ${round}`);
      for (const [i, end] of ends.entries()) offer(`liar ${i}`, { base, end, errorIn: nothing });
    }
    return { submissions, bytes };
  }

  /** How many members name another change than `merged`, each having decoded the bytes and begun with another update. */
  #disagreements(codec: CodecRules, offered: readonly Offered[], merged: Merged): number {
    const nameOf = ({ change }: Merged) => sha256(bytesOf(change));
    return this.#members.filter((_, shift) => {
      const turned = [...offered.slice(shift), ...offered.slice(0, shift)];
      const own = turned.map(({ key, bytes }) => {
        const decoded = decodeUpdate(codec, LAYOUT, bytes);
        assert(decoded.ok, 'what was decoded once is decoded again');
        return { key, update: decoded.update };
      });
      return nameOf(merge(own, LAYOUT.elements, this.#arm.merge)) !== nameOf(merged);
    }).length;
  }

  /** What a member whose update was lost goes on from: see `Arm.afterLoss`. */
  #lose(member: Member, before: Member, { base, end, errorIn }: RoundResult, codec: CodecRules): void {
    const { afterLoss = 'spent' } = this.#arm;
    if (afterLoss === 'counted' || afterLoss === 'forgotten') Object.assign(member, before);
    if (codec.kind === 'dense') return;
    if (afterLoss === 'zeros' || afterLoss === 'forgotten') member.error = zeroError(LAYOUT.elements);
    if (afterLoss === 'before') member.error = errorIn;
    if (afterLoss !== 'offered') return;
    const decay = Number(codec.errorDecay);
    member.error = packBfloat16(unpackBfloat16(errorIn).map((value, i) => decay * value + base[i] - end[i]));
  }

  #isLost(): boolean {
    const { drop = 0 } = this.#arm;
    return drop > 0 && below(this.#chance, 1_000_000) < drop * 1_000_000;
  }

  #step({ change }: Merged, rate: number): void {
    const { heavyBall = 0 } = this.#arm;
    const [base, previous, start] = [this.#base, this.#previous, this.#start()];
    this.#previous = base;
    this.#base = start.map((value, i) => value - rate * change[i] + heavyBall * (base[i] - previous[i]));
  }

  #batches(round: number, seat: number): Promise<RowBatch[]> {
    const { rows, members, steps } = this.#arm;
    const rules = { batchRows: rows, stepsPerRound: at(steps, round) };
    const seed = hashOf('learn', this.#seed, round);
    const { train } = this.#text;
    const own = Math.floor(train.count / members);
    return Promise.all(
      Array.from({ length: rules.stepsPerRound }, (_, step) =>
        train.read(
          this.#arm.ownDocuments
            ? assignedRows(seed, own, 0, step, rules).map((row) => seat * own + row)
            : assignedRows(seed, train.count, seat, step, rules),
        ),
      ),
    );
  }
}
