/**
 * How far honest engines are from each other: 1,000 steps of a small real model, segment by segment, each engine from the
 * same state; at some steps every operator for itself.
 *
 * It goes on where it was stopped, and ends with two files in a folder of `.tools/calibrate/`: `calibration.json`, which
 * charters name, and `samples.json` with every distance. `docs/determinism.md` says how to take them over.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bytesOf, type Hash, hashOf, isWorldError, sha256, utf8 } from '@folkmoot/core';
import { initialParameters, momentSizes, parameterLayout, trainProgram } from '@folkmoot/model';
import { RUN_PRESETS } from '@folkmoot/node';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { OperatorPair } from '@folkmoot/tensor/node/test-support';
import {
  LocalRound,
  OneStep,
  readMoments,
  readParams,
  type Segment,
  writeMoments,
  zeroMoments,
} from '@folkmoot/training';
import {
  type Calibration,
  relativeDistance,
  replaySegment,
  type State,
  summarize,
  type TensorDistance,
  tensorDistances,
} from '@folkmoot/verify';
import type { Figure } from './bench.ts';
import { RealBatches } from './real-batches.ts';

const { model: MODEL, optimizer: RULES, stepsPerSegment: S } = RUN_PRESETS.tiny;
/** Half of the preset's. */
const ROWS = 8;
const LAYOUT = parameterLayout(MODEL);
const SIZES = momentSizes(RULES, LAYOUT);
const TRAIN = trainProgram(MODEL, ROWS);
const STEPS = 1000;
const SEGMENTS = STEPS / S;
/** Segments at whose start every operator is compared. */
const OPERATORS_AT = [0, 1, 10, 50, 100, SEGMENTS - 1];
const KEEP_EVERY = 10;
const BILLION = 1e9;

/** What is compared with `native` on one thread, which leads; in one segment of `every`. */
interface Other {
  readonly every: number;
  open(): Promise<Engine>;
}

const OTHERS: Readonly<Record<string, Other>> = {
  'native-threads': { every: 5, open: () => createEngine('native', { threads: 2 }) },
  exact: { every: 1, open: () => createEngine('exact', { threads: 1 }) },
  // A software adapter is slow, and none of its numbers depend on time.
  webgpu: { every: 40, open: () => createEngine('webgpu', { softwareGpu: true }) },
};

/** Parts per billion, one number for each tensor: parameters, m, v. */
interface Samples {
  /** What the samples were made with; others are not continued. */
  readonly of: Hash;
  readonly tensors: readonly string[];
  /** Segments that have been compared. */
  done: number;
  /** After S steps, moments rounded, as an auditor measures. */
  readonly segments: Record<string, number[][]>;
  /** After the first step of each segment, nothing rounded. */
  readonly steps: Record<string, number[][]>;
  readonly operators: { names: string[]; types: string[]; at: { step: number; ppb: number[] }[] };
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const bench = await Calibrating.open();
  try {
    yield* bench.figures(signal);
  } finally {
    await bench.close();
  }
}

class Calibrating {
  readonly #data: RealBatches;
  readonly #leader: Rival;
  readonly #others: ReadonlyMap<string, Rival>;
  #samples: Samples;
  #state: State;

  static async open(): Promise<Calibrating> {
    const others = new Map<string, Rival>();
    for (const [name, { open }] of Object.entries(OTHERS)) {
      const engine = await open().catch((error) => {
        if (isWorldError(error, 'engine-unavailable')) return undefined;
        throw error;
      });
      if (engine) others.set(name, await rival(engine));
    }
    return new Calibrating(
      await RealBatches.open(MODEL, ROWS),
      await rival(await createEngine('native', { threads: 1 })),
      others,
    );
  }

  private constructor(data: RealBatches, leader: Rival, others: ReadonlyMap<string, Rival>) {
    this.#data = data;
    this.#leader = leader;
    this.#others = others;
    const names = [...others.values()].map(({ name }) => name);
    const of = hashOf('calibration', TRAIN.id, JSON.stringify(RULES), ...names);
    const kept = restore(of);
    this.#samples = kept?.samples ?? noSamples(of, [...others.keys()]);
    this.#state = kept?.state ?? {
      params: initialParameters(MODEL, sha256(utf8('calibrate'))),
      moments: zeroMoments(SIZES),
    };
  }

  async *figures(signal: AbortSignal): AsyncIterable<Figure> {
    for (let segment = this.#samples.done; segment < SEGMENTS; segment++) {
      signal.throwIfAborted();
      if (OPERATORS_AT.includes(segment)) await this.#operators(segment);
      const loss = await this.#segment(segment);
      this.#samples.done++;
      if ((segment + 1) % KEEP_EVERY === 0) {
        keep(this.#samples, this.#state);
        const note = `worst segment of exact so far ${(worst(this.#samples.segments.exact) / 1000).toFixed(0)} ppm`;
        yield { name: `loss at step ${(segment + 1) * S}`, value: loss, unit: 'nats/token', note };
      }
    }
    for (const name of this.#others.keys()) {
      yield { name: `${name}: worst segment`, value: worst(this.#samples.segments[name]) / 1000, unit: 'ppm' };
      yield { name: `${name}: worst step`, value: worst(this.#samples.steps[name]) / 1000, unit: 'ppm' };
    }
    const folder = folderOf(this.#samples.of);
    const operators = worst(this.#samples.operators.at.map(({ ppb }) => ppb));
    yield { name: 'exact: worst operator', value: operators / 1000, unit: 'ppm', note: `files in ${folder}` };
    writeFileSync(`${folder}/calibration.json`, `${JSON.stringify(this.#summary(), null, 2)}\n`);
  }

  async close(): Promise<void> {
    for (const { close } of [this.#leader, ...this.#others.values()]) await close();
  }

  async #segment(number: number): Promise<number> {
    const segment = await this.#data.segment(number, S);
    const start = this.#state;
    const led = await replay(this.#leader, start, segment);
    const step = await this.#leader.oneStep.run(start, segment.globalStep, segment.batches[0]!);
    for (const [name, other] of this.#others) {
      if (number % OTHERS[name]!.every !== 0) continue;
      const mine = await replay(other, start, segment);
      this.#samples.segments[name].push(ppb(tensorDistances(LAYOUT, start, led.end, mine.end)));
      const myStep = await other.oneStep.run(start, segment.globalStep, segment.batches[0]!);
      this.#samples.steps[name].push(ppb(tensorDistances(LAYOUT, start, step!, myStep!)));
    }
    this.#state = led.end;
    return led.losses.at(-1)!;
  }

  async #operators(segment: number): Promise<void> {
    const pair = await OperatorPair.create(TRAIN);
    const inputs: Record<string, Float32Array | Int32Array> = { ...(await this.#data.segment(segment, S)).batches[0]! };
    for (const { name, offset, elements } of LAYOUT.tensors)
      inputs[name] = this.#state.params.slice(offset, offset + elements);
    const values = await pair.values(inputs);
    const distances: number[] = [];
    for (const site of pair.sites) {
      const claimed = values.get(site.name)!.data as Float32Array;
      distances.push(Math.ceil(BILLION * relativeDistance(claimed, await pair.recompute(site, values))));
    }
    const { operators } = this.#samples;
    operators.names = pair.sites.map(({ name }) => name);
    operators.types = pair.sites.map(({ node }) => node.type);
    operators.at.push({ step: segment * S, ppb: distances });
    await pair.close();
  }

  #summary(): Calibration {
    const engines = Object.fromEntries([...this.#others].map(([pair, { name }]) => [pair, name]));
    const method = { model: 'tiny', train: TRAIN.id, steps: STEPS, stepsPerSegment: S, rows: ROWS };
    return summarize({ ...method, leader: this.#leader.name }, engines, this.#samples);
  }
}

interface Rival {
  readonly name: string;
  readonly local: LocalRound;
  readonly oneStep: OneStep;
  close(): Promise<void>;
}

async function rival(engine: Engine): Promise<Rival> {
  const options = { engine, train: TRAIN, layout: LAYOUT, optimizer: RULES };
  return {
    name: `${engine.name}, ${engine.threads} thread${engine.threads > 1 ? 's' : ''}`,
    local: await LocalRound.create(options),
    oneStep: await OneStep.create(options),
    close: () => engine.close(),
  };
}

async function replay({ name, local }: Rival, start: State, segment: Segment) {
  const replayed = await replaySegment(local, start, segment);
  if (!replayed.ok) throw new Error(`${name}: ${replayed.reason}`);
  return replayed;
}

// ---- Numbers ----------------------------------------------------------------------------------------------------

function ppb(distances: readonly TensorDistance[]): number[] {
  return distances.map(({ ratio }) => Math.ceil(ratio * BILLION));
}

function worst(samples: readonly (readonly number[])[]): number {
  return samples.reduce((most, list) => list.reduce((a, b) => Math.max(a, b), most), 0);
}

// ---- Going on ---------------------------------------------------------------------------------------------------

/** Each in a folder of its own, so that another version's goes on where it was. */
const folderOf = (of: Hash) => fileURLToPath(new URL(`../.tools/calibrate/${of.slice(0, 8)}`, import.meta.url));

function noSamples(of: Hash, others: readonly string[]): Samples {
  const { tensors } = LAYOUT;
  const names = ['', 'm of ', 'v of '].flatMap((prefix) => tensors.map(({ name }) => prefix + name));
  const none = () => Object.fromEntries(others.map((name) => [name, []]));
  return { of, done: 0, tensors: names, segments: none(), steps: none(), operators: { names: [], types: [], at: [] } };
}

function keep(samples: Samples, { params, moments }: State): void {
  const folder = folderOf(samples.of);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/params.new`, bytesOf(params));
  writeFileSync(`${folder}/moments.new`, writeMoments(moments));
  writeFileSync(`${folder}/samples.new`, JSON.stringify(samples));
  // Without the samples the state counts for nothing, so they go first and come last.
  rmSync(`${folder}/samples.json`, { force: true });
  for (const name of ['params', 'moments']) renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
  renameSync(`${folder}/samples.new`, `${folder}/samples.json`);
}

function restore(of: Hash): { samples: Samples; state: State } | undefined {
  const folder = folderOf(of);
  try {
    const samples: Samples = JSON.parse(readFileSync(`${folder}/samples.json`, 'utf8'));
    const params = readParams(readFileSync(`${folder}/params`), LAYOUT.elements);
    const moments = readMoments(readFileSync(`${folder}/moments`), SIZES);
    if (samples.of !== of || !params.ok || !moments.ok) return undefined;
    return { samples, state: { params: params.value, moments: moments.value } };
  } catch {
    return undefined;
  }
}
