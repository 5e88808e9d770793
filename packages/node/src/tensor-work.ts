/** `Work` in earnest: the charter's programs on an engine, the codec and the aggregation of `training`. */
import { assert, below, bytesOf, type Hash, hashOf, SeededRandom, sha256, WorldError } from '@folkmoot/core';
import { assignedRows, type DatasetManifest, type RowBatch, Rows } from '@folkmoot/data';
import {
  accumulateProgram,
  adamwProgram,
  evaluateProgram,
  type MomentSizes,
  microBatches,
  momentSizes,
  muonProgram,
  normProgram,
  type ParameterLayout,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';
import { type Charter, segmentsAfter } from '@folkmoot/records';
import type { Engine, MemoryPlan, Program } from '@folkmoot/tensor';
import {
  aggregate,
  aggregateId,
  aheadOfMemory,
  applyAggregate,
  decodeUpdate,
  Evaluator,
  encodeUpdate,
  errorBytes,
  LocalRound,
  lookAhead,
  maxUpdateBytes,
  momentsBytes,
  readError,
  readMoments,
  readParams,
  type Segment,
  type Update,
  writeMoments,
} from '@folkmoot/training';
import { MAX_DISTANCE_PPM, replaySegment, type State, stateDistance } from '@folkmoot/verify';
import { RenewedEngine } from './renewed-engine.ts';
import { noExactEngine, TensorArbitration } from './tensor-arbitration.ts';
import type { Assignment, Distance, Encoding, SegmentEnd, StateBytes, Work } from './work.ts';

/** Tokens of the hold-out that are evaluated: enough for two digits, and a few percent of a round's work. */
const HOLDOUT_TOKENS = 8192;

/** The programs of a run, made from its charter: everybody builds the same bytes. */
export interface RunPrograms {
  readonly train: Program;
  readonly optimizer: Program;
  readonly norm: Program;
  readonly evaluate: Program;
  /** Where the optimizer is Muon. */
  readonly muon?: Program;
  /** Where a step has micro-batches. */
  readonly accumulate?: Program;
}

type ProgramRules = Pick<Charter, 'model' | 'batchRows' | 'microRows' | 'optimizer'>;

export function runPrograms({ model, batchRows, microRows, optimizer }: ProgramRules): RunPrograms {
  const rows = microRows ?? batchRows;
  return {
    train: plannedTrainProgram({ model, batchRows, microRows, optimizer }, 'plain'),
    optimizer: adamwProgram(optimizer),
    norm: normProgram(),
    evaluate: evaluateProgram(model, rows),
    ...(optimizer.kind === 'muon' && { muon: muonProgram(optimizer, parameterLayout(model)) }),
    ...(microRows !== undefined && { accumulate: accumulateProgram() }),
  };
}

/** The train program in another order or with blocks computed again: the bits of the charter's, and less memory. */
export function plannedTrainProgram(
  { model, batchRows, microRows, optimizer }: ProgramRules,
  plan: MemoryPlan,
): Program {
  return trainProgram(model, microRows ?? batchRows, { zLoss: optimizer.zLoss, plan });
}

/** Throws `program-mismatch` where this version builds other programs than the charter names. */
export function checkPrograms(charter: Charter, programs: RunPrograms): void {
  for (const name of ['train', 'optimizer', 'norm', 'evaluate', 'muon', 'accumulate'] as const)
    if (programs[name]?.id !== charter.programs[name])
      throw new WorldError(
        'program-mismatch',
        `This version of Folkmoot builds another ${name} program than the run’s charter names.`,
        {
          facts: { program: name, charter: charter.programs[name] ?? 'none', here: programs[name]?.id ?? 'none' },
          help: 'Use the version with which the run was created; a run’s arithmetic never changes.',
        },
      );
}

export interface TensorWorkOptions {
  /** Another engine where the device of this one is lost. */
  readonly renewEngine?: () => Promise<Engine>;
  /** How steps spend memory here: each member's own choice, since bits do not depend on it. Default `plain`. */
  readonly plan?: MemoryPlan;
  /** Starts an `exact` engine, where the run's is of another kind: disputes end on it. */
  readonly openExact?: () => Promise<Engine>;
  /** Stands around engine work for disputes: what the simulator's clock waits for. */
  readonly arbitrates?: <T>(task: Promise<T>) => Promise<T>;
}

export class TensorWork implements Work {
  readonly engineName: string;
  readonly maxUpdateBytes: number;
  readonly arbitration: TensorArbitration;
  /** For how long the engine has worked at what, milliseconds; waiting for its turn does not count. */
  readonly spentMs = { training: 0, auditing: 0, evaluating: 0 };
  readonly #charter: Charter;
  readonly #layout: ParameterLayout;
  readonly #moments: MomentSizes;
  readonly #programs: RunPrograms;
  readonly #plan: MemoryPlan;
  readonly #engine: RenewedEngine;
  readonly #train: Rows;
  readonly #holdout: Rows;
  #turn: Promise<unknown> = Promise.resolve();
  #exact: Promise<Engine> | undefined;
  /** Whose state the local round has: that of one call of `train`, or nobody's. */
  #holder: object | undefined;

  /**
   * `getShard` gives verified bytes of the dataset's shards. Throws `program-mismatch`.
   */
  constructor(
    charter: Charter,
    engine: Engine,
    manifest: DatasetManifest,
    getShard: (id: Hash) => Promise<Uint8Array>,
    { renewEngine, plan = 'plain', openExact = noExactEngine, arbitrates = (task) => task }: TensorWorkOptions = {},
  ) {
    this.#charter = charter;
    this.#layout = parameterLayout(charter.model);
    this.#moments = momentSizes(charter.optimizer, this.#layout);
    this.#programs = runPrograms(charter);
    checkPrograms(charter, this.#programs);
    this.#plan = plan;
    this.#engine = new RenewedEngine(engine, renewEngine);
    this.engineName = engine.name;
    this.maxUpdateBytes = maxUpdateBytes(charter.codec, this.#layout);
    this.#train = new Rows(manifest, 'train', getShard);
    this.#holdout = new Rows(manifest, 'holdout', getShard);
    // Steps have arenas of their own, so that the local round's stay what they are.
    const training = <T>(task: (engine: Engine) => Promise<T>) =>
      arbitrates(this.#exclusively('auditing', () => task(this.#engine.current)));
    const elsewhere = async <T>(task: (engine: Engine) => Promise<T>) => {
      this.#exact ??= openExact();
      return arbitrates(task(await this.#exact));
    };
    this.arbitration = new TensorArbitration({
      ...{ charter, layout: this.#layout, train: this.#programs.train, training },
      segment: (assignment, segment) => this.#segment(assignment, segment),
      exactly: engine.kind === 'exact' ? training : elsewhere,
    });
  }

  zeroMoments(): Uint8Array {
    return zeroBytes(momentsBytes(this.#moments));
  }

  zeroError(): Uint8Array {
    return zeroBytes(errorBytes(this.#layout.elements));
  }

  start(base: Uint8Array, previous: Uint8Array): Uint8Array {
    const { momentum } = this.#charter.aggregator;
    if (momentum === undefined) return base;
    return bytesOf(lookAhead(this.#readBase(base), this.#readBase(previous), momentum));
  }

  ownStart(start: Uint8Array, errorIn: Uint8Array, share: string): Uint8Array {
    const error = readError(errorIn, this.#layout.elements);
    return error.ok ? bytesOf(aheadOfMemory(this.#readBase(start), error.value, share)) : start;
  }

  async *train(assignment: Assignment, start: StateBytes, signal: AbortSignal): AsyncIterable<SegmentEnd> {
    const local = await this.#localRound();
    let state = this.#readState(start);
    if (!state) throw new WorldError('artifact-corrupt', 'The state from which this round should start is not one.');
    const mine = {};
    for (let segment = 1; segment <= segmentsAfter(this.#charter, assignment); segment++) {
      const steps = await this.#segment(assignment, segment);
      const from: State = state;
      const end = await this.#exclusively('training', async () => {
        // An audit since the last segment has left its own state behind.
        if (this.#holder !== mine) await local.start(from.params, from.moments);
        this.#holder = mine;
        return local.runSegment(steps, signal);
      });
      if (end.outcome === 'diverged')
        throw new WorldError('diverged', `Training has diverged in round ${assignment.round}: ${end.reason}`, {
          help: 'Nothing of this round is offered. If it happens to everybody, the run’s learning rate is too high.',
        });
      state = end;
      yield { ...toBytes(end), losses: end.losses, tokens: this.#tokensOf(steps) };
    }
  }

  async replay(
    assignment: Assignment,
    segment: number,
    start: StateBytes,
    signal: AbortSignal,
  ): Promise<SegmentEnd | undefined> {
    const state = this.#readState(start);
    if (!state) return undefined;
    const local = await this.#localRound();
    const steps = await this.#segment(assignment, segment);
    const replayed = await this.#exclusively('auditing', () => {
      this.#holder = undefined;
      return replaySegment(local, state, steps, signal);
    });
    return replayed.ok
      ? { ...toBytes(replayed.end), losses: replayed.losses, tokens: this.#tokensOf(steps) }
      : undefined;
  }

  encode(start: Uint8Array, params: Uint8Array, errorIn: Uint8Array): Encoding | undefined {
    const { elements } = this.#layout;
    const from = readParams(start, elements);
    const end = readParams(params, elements);
    const error = readError(errorIn, elements);
    if (!from.ok || !end.ok || !error.ok) return undefined;
    const encoded = encodeUpdate(this.#charter.codec, this.#layout, {
      base: from.value,
      end: end.value,
      errorIn: error.value,
    });
    return encoded.ok ? { update: encoded.bytes, errorOut: bytesOf(encoded.errorOut) } : undefined;
  }

  inspect(update: Uint8Array): string | null {
    const decoded = decodeUpdate(this.#charter.codec, this.#layout, update);
    return decoded.ok ? null : decoded.reason;
  }

  aggregate(
    start: Uint8Array,
    updates: readonly { key: string; bytes: Uint8Array }[],
  ): { aggregate: Hash; nextBase: Uint8Array } {
    const submissions = updates.map(({ key, bytes }) => ({ key, update: this.#decode(bytes) }));
    const combined = aggregate(submissions, this.#layout.elements);
    return {
      aggregate: aggregateId(combined),
      nextBase: bytesOf(applyAggregate(this.#readBase(start), combined, this.#charter.aggregator.outerRate)),
    };
  }

  distance(start: StateBytes, mine: StateBytes, claimed: StateBytes): Distance {
    const [from, own, theirs] = [start, mine, claimed].map((state) => this.#readState(state));
    if (!from || !own || !theirs)
      return {
        distancePpm: MAX_DISTANCE_PPM,
        tensor: 'all: the claimed state is not one',
        first: 'all: the claimed state is not one',
      };
    return stateDistance(this.#layout, from, theirs, own);
  }

  async help(
    start: Uint8Array,
    update: Uint8Array,
    { seed, seat, rowsSeed }: { seed: Hash; seat: number; rowsSeed: Hash },
  ): Promise<number> {
    const { batchRows, stepsPerRound, dataset, aggregator } = this.#charter;
    const decoded = decodeUpdate(this.#charter.codec, this.#layout, update);
    if (!decoded.ok) return Number.NaN;
    const from = this.#readBase(start);
    const alone = aggregate([{ key: '', update: decoded.update }], this.#layout.elements);
    const after = applyAggregate(from, alone, aggregator.outerRate);
    const random = new SeededRandom(hashOf('rows', rowsSeed, seat));
    // Both kinds in one batch, half and half.
    const half = Math.max(1, batchRows >> 1);
    const own = Array.from({ length: half }, () => {
      const step = below(random, stepsPerRound);
      return assignedRows(seed, dataset.trainRows, seat, step, this.#charter)[below(random, batchRows)]!;
    });
    const other = Array.from({ length: half }, () => below(random, dataset.trainRows));
    const batch = await this.#train.read([...own, ...other]);
    const evaluator = await this.#evaluator();
    const losses = (params: Float32Array) =>
      this.#exclusively('evaluating', async () => {
        await evaluator.load(params);
        return evaluator.rowLosses(batch);
      });
    const [before, then] = [await losses(from), await losses(after)];
    let sum = 0;
    for (let row = 0; row < 2 * half; row++) sum += (row < half ? 1 : -1) * (before[row]! - then[row]!);
    return sum / (half * this.#charter.model.context);
  }

  async evaluate(params: Uint8Array): Promise<number> {
    const evaluator = await this.#evaluator();
    const arena = this.#readBase(params);
    const batch = await this.#holdoutBatch();
    return this.#exclusively('evaluating', () => evaluator.loss(arena, batch));
  }

  #evaluator(): Promise<Evaluator> {
    return this.#engine.once('evaluator', (engine) => Evaluator.create(engine, this.#programs.evaluate, this.#layout));
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {});
    await this.arbitration.free();
    await this.#engine.close();
    await (await this.#exact?.catch(() => undefined))?.close();
  }

  /** Made when first needed, and shared by training and audits: two would need twice the memory. */
  #localRound(): Promise<LocalRound> {
    const { optimizer } = this.#charter;
    const train = this.#plan === 'plain' ? this.#programs.train : plannedTrainProgram(this.#charter, this.#plan);
    const parts = { train, layout: this.#layout, microBatches: microBatches(this.#charter) };
    return this.#engine.once('local round', (engine) => LocalRound.create({ engine, ...parts, optimizer }));
  }

  /** The rows and the place in the schedule of segment `segment`, from 1 after what is skipped. */
  async #segment(assignment: Assignment, segment: number): Promise<Segment> {
    const { stepsPerSegment, stepsPerRound, dataset } = this.#charter;
    // Rows and the run’s schedule are the seat’s; the device’s own steps are those that it has made.
    const made = (segment - 1) * stepsPerSegment;
    const first = assignment.skip * stepsPerSegment + made;
    const batches: RowBatch[] = [];
    for (let step = first; step < first + stepsPerSegment; step++)
      batches.push(
        await this.#train.read(assignedRows(assignment.seed, dataset.trainRows, assignment.seat, step, this.#charter)),
      );
    return {
      batches,
      globalStep: (assignment.round - 1) * stepsPerRound + first,
      deviceStep: assignment.carriedSteps + made,
    };
  }

  /** Rows spread evenly over the hold-out: the same for every member and every base. */
  #holdoutBatch(): Promise<RowBatch> {
    const rows = Math.max(1, Math.min(this.#holdout.count, Math.floor(HOLDOUT_TOKENS / this.#charter.model.context)));
    return this.#holdout.read(Array.from({ length: rows }, (_, i) => Math.floor((i * this.#holdout.count) / rows)));
  }

  #readBase(params: Uint8Array): Float32Array {
    const arena = readParams(params, this.#layout.elements);
    assert(arena.ok, 'a base is an arena of finite parameters');
    return arena.value;
  }

  #readState({ params, moments }: StateBytes): State | undefined {
    const arena = readParams(params, this.#layout.elements);
    const memory = readMoments(moments, this.#moments);
    return arena.ok && memory.ok ? { params: arena.value, moments: memory.value } : undefined;
  }

  #decode(bytes: Uint8Array): Update {
    const decoded = decodeUpdate(this.#charter.codec, this.#layout, bytes);
    if (decoded.ok) return decoded.update;
    throw new WorldError('desync', `The witnesses included an update that breaks the charter: ${decoded.reason}`, {
      help: 'Two thirds of them cannot be honest; this member stops rather than guess what the base is.',
    });
  }

  #tokensOf(segment: Segment): number {
    return segment.batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  }

  /** One thing at a time on the engine: an audit waits for the segment that is being trained, and the other way round. */
  #exclusively<T>(purpose: 'training' | 'auditing' | 'evaluating', task: () => Promise<T>): Promise<T> {
    const timed = async () => {
      const startedMs = performance.now();
      try {
        return await this.#engine.guard(task);
      } finally {
        this.spentMs[purpose] += performance.now() - startedMs;
      }
    };
    const done = this.#turn.then(timed);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function toBytes({ params, moments }: State): StateBytes {
  return { params: bytesOf(params), moments: writeMoments(moments) };
}

/** The ids that a charter gives to the artifacts of zeros. */
export function zeroIds({ model, optimizer }: Pick<Charter, 'model' | 'optimizer'>): {
  zeroMoments: Hash;
  zeroError: Hash;
} {
  const layout = parameterLayout(model);
  return {
    zeroMoments: sha256(zeroBytes(momentsBytes(momentSizes(optimizer, layout)))),
    zeroError: sha256(zeroBytes(errorBytes(layout.elements))),
  };
}

/** Zeros of bfloat16 are zero bytes. Never written to, this memory takes no room until somebody does. */
const zeroBytes = (sizeBytes: number) => new Uint8Array(sizeBytes);
