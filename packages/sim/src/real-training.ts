/**
 * Training in earnest, in simulated time: a small model on the bit-exact engine. Real work ends before virtual time moves, so
 * the same seed gives the same bits and the same trace on every machine.
 */
import { type Clock, hashOf, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import type { SourceDocument } from '@folkmoot/data';
import {
  type Assignment,
  engineRules,
  foundRun,
  RUN_PRESETS,
  type StateBytes,
  TensorWork,
  type Work,
} from '@folkmoot/node';
import type { Charter } from '@folkmoot/records';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { SimClock } from './sim-clock.ts';
import type { Training } from './training.ts';

/** Virtual milliseconds that a segment takes. */
const SEGMENT_MS = 2000;
const DOCUMENTS = 24;
const WORDS = 500;

export interface RealTraining {
  /** For the world of this clock. */
  in(clock: SimClock): Training;
  close(): Promise<void>;
}

/** A run's data, programs and engine, shared by all members of a world; close it in the end. */
export async function realTraining(seed: string): Promise<RealTraining> {
  const { model } = RUN_PRESETS.tiny;
  const rules = {
    ...RUN_PRESETS.tiny,
    engine: engineRules('exact'),
    model: { ...model, vocab: 320, hidden: 32, heads: 2, kvHeads: 1, feedForward: 64, context: 16 },
    batchRows: 4,
    stepsPerRound: 6,
    stepsPerSegment: 2,
  };
  const nobody = hashOf('nobody', seed);
  const founded = foundRun({
    name: 'simulated',
    creator: `0x${nobody.slice(0, 40)}`,
    sequencer: nobody,
    nonce: hashOf('nonce', seed),
    licence: 'CC0-1.0',
    rules,
    documents: documents(seed),
  });
  const engine = await createEngine('exact', { threads: 1 });
  const shards = new Map(founded.dataset.shards.map((shard) => [shard.id, shard.bytes]));
  const base = founded.artifacts.at(-1)!;
  const getShard: Parts[3] = async (id) => shards.get(id)!;
  return {
    in: (clock) => ({
      base,
      charterOf: (charter) => ({ ...founded.charter, ...protocolOf(charter) }),
      workOf: (lifeClock, charter) =>
        new TimedWork(clock, lifeClock, charter, engine, getShard, founded.dataset.manifest),
    }),
    close: () => engine.close(),
  };
}

/** What of a simulated charter is about agreement, not about learning. */
function protocolOf({ name, timing, committee, audit, credit }: Charter): Partial<Charter> {
  return { name, timing, committee, audit, credit };
}

type Parts = ConstructorParameters<typeof TensorWork>;

/** `TensorWork` that takes virtual time, and none of it while the processor works. */
class TimedWork extends TensorWork implements Work {
  readonly #outside: SimClock;
  readonly #clock: Clock;

  constructor(
    outside: SimClock,
    clock: Clock,
    charter: Charter,
    engine: Engine,
    getShard: Parts[3],
    manifest: Parts[2],
  ) {
    super(charter, engine, manifest, getShard, { arbitrates: (task) => outside.outside(task) });
    this.#outside = outside;
    this.#clock = clock;
  }

  override async *train(assignment: Assignment, start: StateBytes, signal: AbortSignal) {
    const segments = super.train(assignment, start, signal)[Symbol.asyncIterator]();
    for (;;) {
      await this.#clock.sleep(SEGMENT_MS, signal);
      const next = await this.#outside.outside(segments.next());
      if (next.done) return;
      yield next.value;
    }
  }

  override async replay(assignment: Assignment, segment: number, start: StateBytes, signal: AbortSignal) {
    await this.#clock.sleep(SEGMENT_MS, signal);
    return this.#outside.outside(super.replay(assignment, segment, start, signal));
  }

  override evaluate(params: Uint8Array): Promise<number> {
    return this.#outside.outside(super.evaluate(params));
  }

  /** The engine is everybody's. */
  override async close(): Promise<void> {}
}

/** Made-up texts with some order in them: a word is often followed by the same next one. */
function documents(seed: string): SourceDocument[] {
  const random = new SeededRandom(`texts ${seed}`);
  const words = Array.from({ length: 60 }, (_, i) => `w${hashOf('word', i).slice(0, 4)}`);
  return Array.from({ length: DOCUMENTS }, (_, i) => {
    let at = random.uint32() % words.length;
    const text = Array.from({ length: WORDS }, () => {
      at = random.uint32() % 4 === 0 ? random.uint32() % words.length : (at * 7 + 3) % words.length;
      return words[at]!;
    }).join(' ');
    const bytes = utf8(text);
    return { name: `${i}.txt`, text, sha256: sha256(bytes), licence: 'CC0-1.0', bytes: bytes.length };
  });
}
