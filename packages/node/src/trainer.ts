/** The trainer: works its assigned rows, commits to the trace, reveals the update, opens what an audit asks for. */
import { type Canonical, canonicalBytes, fromUtf8, type Hash, sha256, WorldError } from '@folkmoot/core';
import type { Audit, Duty } from '@folkmoot/protocol';
import { blindOf, openLink, type Said, type StateIds, segmentsAfter, type Trace, traceRoot } from '@folkmoot/records';
import { TraceBuilder } from '@folkmoot/training';
import { artifactSizes } from './expectations.ts';
import { startParams } from './start-params.ts';
import type { Receipt } from './voice.ts';
import type { Assignment, StateBytes } from './work.ts';
import type { Workbench } from './workbench.ts';

export type TrainDuty = Extract<Duty, { kind: 'train' }>;

/** What a trainer has to show for a round: the states at the segment ends, the update and the memory that it leaves. */
export interface Offer {
  readonly states: readonly StateIds[];
  readonly update: Uint8Array;
  readonly errorOut: Uint8Array;
}

/** How a trainer comes to its offer. */
export type Offering = (bench: Workbench, duty: TrainDuty, signal: AbortSignal) => Promise<Offer>;

/** What is kept of a round, so that a restart repeats itself instead of contradicting itself. */
interface Kept {
  readonly round: number;
  /** The round's seed: a round that was drawn anew is another. */
  readonly seed: Hash;
  readonly trace: Trace;
  readonly update: Hash;
  readonly updateBytes: number;
  readonly salt: Hash;
  readonly commit: Said<'commit'>;
}

/** Rounds whose traces are kept: audits run at most two behind, and may take their time. */
const KEPT_ROUNDS = 8;

/** Trains honestly: every segment end is kept, because any may be drawn. */
export const trainHonestly: Offering = async (bench, duty, signal) => {
  const { work, artifacts } = bench;
  const start = await startState(bench, duty, signal);
  const states: StateIds[] = [];
  let params = start.params;
  const segments = segmentsAfter(bench.charter, duty.seat);
  const startedMs = performance.now();
  let tokens = 0;
  for await (const end of work.train(assignmentOf(duty), start, signal)) {
    params = end.params;
    states.push({ params: await artifacts.put(end.params), moments: await artifacts.put(end.moments) });
    bench.leases.reached(duty, states.at(-1)!);
    tokens += end.tokens;
    const tokensPerSecond = tokens / ((performance.now() - startedMs) / 1000);
    bench.notify({
      kind: 'training',
      round: duty.round,
      segment: states.length,
      segments,
      firstLoss: end.losses[0]!,
      loss: end.losses.at(-1)!,
      tokensPerSecond,
    });
  }
  const encoding = work.encode(start.params, params, await errorIn(bench, duty, signal));
  if (!encoding)
    throw new WorldError('diverged', 'The update of this round is not finite: training has diverged.', {
      facts: { round: duty.round },
    });
  return { states, ...encoding };
};

/** The parameters and the carried moments from which a trainer starts. */
export async function startState(bench: Workbench, duty: TrainDuty, signal: AbortSignal): Promise<StateBytes> {
  const { bases, artifacts, charter, key } = bench;
  await bases.adopted(duty.base, signal);
  const params = await startParams(bench, duty, () => errorIn(bench, duty, signal), signal);
  const moments = await artifacts.get(duty.seat.carryIn.moments, {
    maxBytes: artifactSizes(charter).moments,
    from: [key.id],
    signal,
  });
  return { params, moments };
}

/** The error memory that the device carried. */
export function errorIn(
  { artifacts, charter, key }: Workbench,
  duty: TrainDuty,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return artifacts.get(duty.seat.carryIn.error, { maxBytes: artifactSizes(charter).error, from: [key.id], signal });
}

export function assignmentOf(duty: TrainDuty): Assignment {
  const { seat, skip, carryIn } = duty.seat;
  return { round: duty.round, seed: duty.seed, seat, skip, carriedSteps: carryIn.steps };
}

export class Trainer {
  readonly #bench: Workbench;
  readonly #offer: Offering;

  constructor(bench: Workbench, offer: Offering = trainHonestly) {
    this.#bench = bench;
    this.#offer = offer;
  }

  async train(duty: TrainDuty, signal: AbortSignal): Promise<Receipt> {
    // What was committed once is committed again, even if this process has forgotten saying it.
    const kept = (await this.#recall(duty)) ?? (await this.#keep(duty, await this.#work(duty, signal)));
    return this.#bench.voice.say('commit', kept.commit, duty);
  }

  /** Works, and shows meanwhile that it does. */
  async #work(duty: TrainDuty, signal: AbortSignal): Promise<Offer> {
    const done = new AbortController();
    void this.#bench.leases.show(duty, AbortSignal.any([signal, done.signal]));
    try {
      return await this.#offer(this.#bench, duty, signal);
    } finally {
      done.abort();
    }
  }

  async reveal(duty: Extract<Duty, { kind: 'reveal' }>): Promise<Receipt | undefined> {
    const { seed } = this.#bench.log.state.round;
    const kept = await this.#recall({ round: duty.round, seed });
    if (!kept) return undefined;
    const { update, updateBytes, salt } = kept;
    return this.#bench.voice.say('reveal', { update, updateBytes, salt }, duty);
  }

  /** Opens the state at which the drawn segment starts. */
  async open(audit: Audit): Promise<Receipt | undefined> {
    const trace = (await this.#recall(audit))?.trace;
    if (!trace) return undefined;
    const at = audit.segment - 1;
    const start = at === 0 ? { params: audit.base, moments: audit.carryIn.moments } : trace.states[at - 1]!;
    const previous = at === 0 ? null : trace.links[at - 1]!;
    return this.#bench.voice.say(
      'open',
      { segment: audit.segment, start: openLink(trace, at), ...start, previous },
      audit,
    );
  }

  /** Opens the segment's end, the round's last state and the encoding. */
  async close(audit: Audit): Promise<Receipt | undefined> {
    const trace = (await this.#recall(audit))?.trace;
    if (!trace) return undefined;
    const segments = segmentsAfter(this.#bench.charter, audit);
    const end = trace.states[audit.segment - 1]!;
    const closing: Said<'close'> = {
      segment: audit.segment,
      end: openLink(trace, audit.segment),
      endParams: end.params,
      endMoments: end.moments,
      last: openLink(trace, segments),
      lastParams: trace.states[segments - 1]!.params,
      lastPrevious: trace.links[segments - 1]!,
      encode: openLink(trace, segments + 1),
    };
    return this.#bench.voice.say('close', closing, audit);
  }

  /** Artifacts that an audit of a kept round may still ask for. */
  async openable(): Promise<Hash[]> {
    const kept = await Promise.all(Array.from({ length: KEPT_ROUNDS }, (_, slot) => this.#read(slot)));
    return kept.flatMap((round) =>
      round
        ? [
            ...round.trace.states.flatMap((state) => [state.params, state.moments]),
            round.commit.errorIn,
            round.commit.errorOut,
            round.commit.momentsIn,
            round.update,
          ]
        : [],
    );
  }

  async #keep(duty: TrainDuty, offer: Offer): Promise<Kept> {
    const { key, secret, artifacts, cells, work } = this.#bench;
    const { seat } = duty;
    const update = await artifacts.put(offer.update);
    const errorOut = await artifacts.put(offer.errorOut);
    const { run } = this.#bench.log.state;
    const start = {
      run,
      round: duty.round,
      base: duty.base,
      seed: duty.seed,
      seat: seat.seat,
      skip: seat.skip,
      moments: seat.carryIn.moments,
    };
    const builder = new TraceBuilder(start, secret(`trace ${duty.round} ${duty.seed}`));
    for (const state of offer.states) builder.endSegment(state);
    const trace = builder.encoded(update, seat.carryIn.error, errorOut);
    const salt = secret(`blind ${duty.round} ${duty.seed}`);
    const commit: Said<'commit'> = {
      seat: seat.seat,
      traceRoot: traceRoot(trace),
      blind: blindOf(update, salt, key.id),
      momentsIn: seat.carryIn.moments,
      momentsOut: offer.states.at(-1)!.moments,
      errorIn: seat.carryIn.error,
      errorOut,
      engine: work.engineName,
    };
    const { round, seed } = duty;
    const kept: Kept = { round, seed, trace, update, updateBytes: offer.update.length, salt, commit };
    await cells.write(cellOf(duty.round), canonicalBytes(kept as unknown as Canonical));
    return kept;
  }

  async #recall({ round, seed }: { round: number; seed: Hash }): Promise<Kept | undefined> {
    const kept = await this.#read(round % KEPT_ROUNDS);
    return kept?.round === round && kept.seed === seed ? kept : undefined;
  }

  async #read(slot: number): Promise<Kept | undefined> {
    const bytes = await this.#bench.cells.read(cellOf(slot));
    return bytes && (JSON.parse(fromUtf8(bytes)) as Kept);
  }
}

const cellOf = (round: number) => `trace-${round % KEPT_ROUNDS}`;

/** Puts the zero artifacts where a device without a past finds them. */
export async function storeZeros({
  artifacts,
  work,
  charter,
}: Pick<Workbench, 'artifacts' | 'work' | 'charter'>): Promise<void> {
  for (const [zeros, id] of [
    [() => work.zeroMoments(), charter.zeroMoments],
    [() => work.zeroError(), charter.zeroError],
  ] as const) {
    if ((await artifacts.store.size(id)) !== undefined) continue;
    const bytes = zeros();
    if (sha256(bytes) === id) await artifacts.put(bytes);
  }
}
