/**
 * Goodput: what a run delivers while a fifth of its trainers fails in every round.
 *
 * Ten seats: the production member on the simulated network, disk and clock, with pretended training. In each round every
 * trainer and reserve but the sequencer fails with a probability of a fifth, at a moment drawn evenly over the usual
 * training time, and is started again when the round's updates are decided. Perfect members would fill every seat. A
 * hundred seats: a crowd of light members (`sim/src/crowd`), which fail likewise.
 */
import { below, SeededRandom } from '@folkmoot/core';
import { type Goodput, goodputOf, SimCrowd, type SimPerson, SimRun, simCharter } from '@folkmoot/sim';
import type { Figure } from './bench.ts';
import { drawCharts } from './scale/plots.ts';
import { type GoodputPoint, keepResults, readResults } from './scale/results.ts';

/** Ten seats are few: a seat more or less is a fifth of a percent of what a run of them delivers. */
const SEEDS = { members: ['1', '2', '3', '4', '5', '6'], crowd: ['1', '2', '3'] };
const SEATS = 10;
const STANDING_BY = 5;
const ROUNDS = 5;
/** Rounds after those that count, until their audits are settled. */
const SETTLING = 3;
const SEGMENTS = 10;
const SEGMENT_MS = 2000;
const FAILING_PERCENT = 20;
const CROWD = { seats: 100, standingBy: 50 };
const LEASE = { everyMs: 500, lapseMs: 1200, reserves: STANDING_BY };

type Arm = GoodputPoint['arm'];

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const points: GoodputPoint[] = [];
  for (const [measure, seeds] of [
    [measureMembers, SEEDS.members],
    [measureCrowd, SEEDS.crowd],
  ] as const)
    for (const arm of ['nobody fails', 'without reserves', 'with reserves'] as const)
      for (const seed of arm === 'nobody fails' ? seeds.slice(0, 1) : seeds) {
        signal.throwIfAborted();
        points.push(await measure(seed, arm));
        const { trainers, verified, inBase, failures, roundSeconds, perSecond } = points.at(-1)!;
        const what = arm === 'nobody fails' ? arm : `a fifth fails, ${arm}`;
        const pace = `${roundSeconds.toFixed(1)} s a round, ${perSecond.toFixed(2)} segments a second`;
        const note = `${inBase.toFixed(1)} % in the base; ${failures} failures; ${pace}`;
        yield { name: `goodput, ${trainers} seats, ${what}, seed ${seed}`, value: verified, unit: '%', note };
      }
  await keepResults({ goodput: points });
  await drawCharts(await readResults());
}

export async function measureMembers(seed: string, arm: Arm): Promise<GoodputPoint> {
  const random = new SeededRandom(`goodput ${seed}`);
  const charter = simCharter({
    stepsPerRound: SEGMENTS,
    stepsPerSegment: 1,
    committee: { minMembers: 2, maxTrainers: SEATS, maxWitnesses: 16 },
    ...(arm !== 'without reserves' && { lease: LEASE }),
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
      arm === 'nobody fails'
        ? []
        : run.people.filter((person) => isConcerned(person) && below(random, 100) < FAILING_PERCENT);
    const down: SimPerson[] = [];
    for (const victim of victims) {
      failed++;
      run.clock.schedule(below(random, SEGMENTS * SEGMENT_MS), () => {
        run.crash(victim);
        down.push(victim);
      });
    }
    // In time for the round's end: with more than a third of its electors down it would wait for them.
    await run.until(() => isDecided(round) && down.length === victims.length);
    await run.clock.drive(Promise.all(down.map((person) => run.start(person))));
  }
  const roundMs = (run.clock.now() - beganMs) / ROUNDS;
  await run.until(() => state().round.number > ROUNDS + SETTLING, 600_000);
  const place = { trainers: SEATS, arm, seed, failures: failed };
  return pointOf(place, goodputOf(run.creator.events, SEGMENTS, 1, ROUNDS), roundMs);

  function state() {
    return run.creator.state!;
  }

  /** Whether it is settled whose updates are in the round. */
  function isDecided(round: number): boolean {
    const { number, phase } = state().round;
    return number > round || phase === 'finalize' || phase === 'seal';
  }

  /** Who has a seat, or stands by for one. */
  function isConcerned(person: SimPerson): boolean {
    const { seats, reserves } = state().round;
    return person !== run.creator && (seats[person.id] !== undefined || reserves.includes(person.id));
  }
}

export async function measureCrowd(seed: string, arm: Arm): Promise<GoodputPoint> {
  const charter = simCharter({
    stepsPerRound: SEGMENTS,
    stepsPerSegment: 1,
    committee: { minMembers: 2, maxTrainers: CROWD.seats, maxWitnesses: 16 },
    ...(arm !== 'without reserves' && { lease: { ...LEASE, reserves: CROWD.standingBy } }),
  });
  const failingPercent = arm === 'nobody fails' ? 0 : FAILING_PERCENT;
  const members = CROWD.seats + CROWD.standingBy;
  const crowd = new SimCrowd({
    seed: `goodput ${seed}`,
    charter,
    members,
    full: 2,
    failingPercent,
    segmentMs: SEGMENT_MS,
  });
  await crowd.start();
  // The first round has those who came first, and nothing is known of how long things take.
  const from = 2;
  await crowd.run.until(() => crowd.state.round.number === from);
  const beganMs = crowd.run.clock.now();
  const before = crowd.failures;
  await crowd.run.until(() => crowd.state.round.number === from + ROUNDS);
  const roundMs = (crowd.run.clock.now() - beganMs) / ROUNDS;
  const failures = crowd.failures - before;
  await crowd.run.until(() => crowd.state.round.number > from + ROUNDS + SETTLING);
  crowd.stop();
  const place = { trainers: CROWD.seats, arm, seed, failures };
  return pointOf(place, goodputOf(crowd.events, SEGMENTS, from, from + ROUNDS - 1), roundMs);
}

function pointOf(
  place: Pick<GoodputPoint, 'trainers' | 'arm' | 'seed' | 'failures'>,
  { filled, verified, wanted }: Goodput,
  roundMs: number,
): GoodputPoint {
  return {
    ...place,
    verified: (100 * verified) / wanted,
    inBase: (100 * filled) / wanted,
    roundSeconds: roundMs / 1000,
    perSecond: verified / ROUNDS / (roundMs / 1000),
  };
}
