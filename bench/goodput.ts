/**
 * Goodput: what a run delivers while a fifth of its trainers fails in every round.
 *
 * The production member on the simulated network, disk and clock, with pretended training. In each round every trainer but
 * the sequencer fails with a probability of a fifth, at a moment drawn evenly over the usual training time, and is started
 * again when the round is over. Perfect members would fill every seat.
 */
import { below, SeededRandom } from '@folkmoot/core';
import { type SimPerson, SimRun, simCharter } from '@folkmoot/sim';
import type { Figure } from './bench.ts';

const SEEDS = ['1', '2', '3'];
const SEATS = 10;
const STANDING_BY = 5;
const ROUNDS = 5;
const SEGMENTS = 10;
const SEGMENT_MS = 2000;
const FAILING_PERCENT = 20;
const LEASE = { everyMs: 500, lapseMs: 1200, reserves: STANDING_BY };

interface Outcome {
  /** Segments in the base: of seats whose update was included. */
  filled: number;
  /** Segments that were credited, no seat counted for more than a whole round. */
  verified: number;
  /** Segments that perfect members would have delivered. */
  wanted: number;
  failed: number;
  roundMs: number;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  for (const arm of ['perfect', 'without', 'with'] as const)
    for (const seed of arm === 'perfect' ? SEEDS.slice(0, 1) : SEEDS) {
      signal.throwIfAborted();
      const { filled, verified, wanted, failed, roundMs } = await measure(seed, arm);
      const what = arm === 'perfect' ? 'nobody fails' : `a fifth fails, ${arm} reserves`;
      const note = `${((100 * filled) / wanted).toFixed(1)} % in the base; ${failed} failures; ${(roundMs / 1000).toFixed(1)} s a round`;
      yield { name: `goodput, ${what}, seed ${seed}`, value: (100 * verified) / wanted, unit: '%', note };
    }
}

export async function measure(seed: string, arm: 'perfect' | 'without' | 'with'): Promise<Outcome> {
  const random = new SeededRandom(`goodput ${seed}`);
  const charter = simCharter({
    stepsPerRound: SEGMENTS,
    stepsPerSegment: 1,
    committee: { minMembers: 2, maxTrainers: SEATS, maxWitnesses: 16 },
    ...(arm !== 'without' && { lease: LEASE }),
  });
  const run = new SimRun(`goodput ${seed}`, charter);
  for (let i = 0; i < SEATS + STANDING_BY; i++) run.add();
  await run.startAll();
  let failed = 0;
  let beganMs = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await run.until(
      () => state().round.number > round || (state().round.number === round && state().round.phase === 'train'),
    );
    if (round === 1) beganMs = run.clock.now();
    const victims =
      arm === 'perfect' ? [] : run.people.filter((person) => isTrainer(person) && below(random, 100) < FAILING_PERCENT);
    const down: SimPerson[] = [];
    for (const victim of victims) {
      failed++;
      run.clock.schedule(below(random, SEGMENTS * SEGMENT_MS), () => {
        run.crash(victim);
        down.push(victim);
      });
    }
    await run.until(() => state().round.number > round && down.length === victims.length);
    await run.clock.drive(Promise.all(down.map((person) => run.start(person))));
  }
  const roundMs = Math.round((run.clock.now() - beganMs) / ROUNDS);
  await run.until(() => state().round.number > ROUNDS + 3, 600_000);
  return { ...count(), failed, roundMs };

  function state() {
    return run.creator.state!;
  }

  function isTrainer(person: SimPerson): boolean {
    return person !== run.creator && state().round.seats[person.id] !== undefined;
  }

  /** Seats are told apart by who held them first. */
  function count(): Pick<Outcome, 'filled' | 'verified' | 'wanted'> {
    const bySeat = new Map<string, number>();
    const first = new Map<string, string>();
    let filled = 0;
    let wanted = 0;
    for (const event of run.creator.events) {
      if (event.kind === 'assigned' && event.round <= ROUNDS) wanted += event.trainers.length * SEGMENTS;
      if (event.kind === 'included' && event.round <= ROUNDS) filled += event.trainers.length * SEGMENTS;
      if (event.kind === 'handed-over') {
        const origin = first.get(`${event.round} ${event.trainer}`) ?? event.trainer;
        first.set(`${event.round} ${event.standIn}`, origin);
      }
      if (event.kind !== 'settled' || event.settlement.round > ROUNDS) continue;
      const { round, device, segments } = event.settlement;
      const seat = `${round} ${first.get(`${round} ${device}`) ?? device}`;
      bySeat.set(seat, Math.max(bySeat.get(seat) ?? 0, segments));
    }
    const verified = [...bySeat.values()].reduce((sum, segments) => sum + segments, 0);
    return { filled, verified, wanted };
  }
}
