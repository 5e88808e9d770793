/**
 * Ten thousand members in one simulated run: light members and a few full ones through the production sequencer and log.
 *
 * They join as fast as the rules take them. A fifth of the light trainers fails in every round; a full member joins when half
 * of the others are there. When all have joined, a few rounds are counted.
 */
import { type Canonical, idOf } from '@folkmoot/core';
import { RUN_PRESETS } from '@folkmoot/node';
import { type Goodput, goodputOf, SIM_START_MS, SimCrowd, type SimPerson, simCharter } from '@folkmoot/sim';

const FULL = 2;
const FAILING_PERCENT = 20;
/** Ten segments of forty seconds: a round of some seven minutes. */
const SEGMENTS = 10;
const SEGMENT_MS = 40_000;
/** Half as often as in the presets: one process computes all of it. */
const LEASE = { everyMs: 10_000, lapseMs: 20_000 };
/** Rounds that are counted, and rounds after them until their audits are settled. */
const COUNTED = 4;
const SETTLING = 2;
const LONGEST_ROUND_MS = 3 * 3_600_000;

export interface PopulationRound {
  readonly round: number;
  readonly members: number;
  /** Processor seconds of the whole world. */
  readonly cpuSeconds: number;
  readonly entries: number;
}

export interface Population {
  readonly members: number;
  readonly seats: number;
  readonly rounds: readonly PopulationRound[];
  readonly entries: number;
  readonly virtualHours: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly failures: number;
  readonly goodput: Goodput;
  readonly voids: number;
  /** Of phases, the longest, milliseconds; those that ended without somebody; those that lasted too long. */
  readonly longestMs: Readonly<Record<string, number>>;
  readonly endedWithout: number;
  readonly overruns: readonly string[];
  /** Whether all full members, the one that came late too, hold the same bytes. */
  readonly agree: boolean;
  readonly lateJoinerAt: number;
  readonly troubles: number;
}

/** Runs a world of `members`, of whom `seats` at most train in a round; yields each round, and then returns what came of it. */
export async function* runPopulation(
  members: number,
  seats: number,
  signal: AbortSignal,
): AsyncGenerator<PopulationRound, Population> {
  const crowd = crowdOf(members, seats);
  const started = process.cpuUsage();
  await crowd.start();
  const rounds: PopulationRound[] = [];
  let late: { person: SimPerson; at: number } | undefined;
  let from = Number.POSITIVE_INFINITY;
  while (crowd.state.round.number < from + COUNTED + SETTLING) {
    signal.throwIfAborted();
    const round = await oneRound(crowd);
    rounds.push(round);
    yield round;
    if (!late && crowd.size >= members / 2) late = { person: await crowd.joinFull('late'), at: crowd.size };
    if (from === Number.POSITIVE_INFINITY && crowd.size >= members) from = crowd.state.round.number;
  }
  const agree = await statesAgree(crowd);
  crowd.stop();
  const { barriers, events, run } = crowd;
  return {
    members: crowd.size,
    seats,
    rounds,
    entries: crowd.host.member!.log.length,
    virtualHours: (run.clock.now() - SIM_START_MS) / 3_600_000,
    cpuSeconds: secondsSince(started),
    residentBytes: process.memoryUsage().rss,
    failures: crowd.failures,
    goodput: goodputOf(events, SEGMENTS, from, from + COUNTED - 1),
    voids: events.filter(({ kind }) => kind === 'void').length,
    longestMs: barriers.longestMs,
    endedWithout: barriers.endedWithout,
    overruns: barriers.overruns,
    agree,
    lateJoinerAt: late!.at,
    troubles: crowd.troubles.length,
  };
}

function crowdOf(members: number, seats: number): SimCrowd {
  const { audit, succession, credit, timing } = RUN_PRESETS.small;
  const charter = simCharter({
    stepsPerRound: SEGMENTS,
    stepsPerSegment: 1,
    committee: { minMembers: 2, maxTrainers: seats, maxWitnesses: 16 },
    lease: { ...LEASE, reserves: Math.ceil(seats / 3) },
    // Long enough for the first hundreds to be there when the first round begins.
    timing: { ...timing, openMs: 30_000 },
    audit,
    succession,
    credit,
  });
  const options = { full: FULL, failingPercent: FAILING_PERCENT, segmentMs: SEGMENT_MS };
  // The late one is a member too.
  return new SimCrowd({ seed: 'population', charter, members: members - 1, ...options });
}

async function oneRound(crowd: SimCrowd): Promise<PopulationRound> {
  const { number } = crowd.state.round;
  const before = crowd.host.member!.log.length;
  const start = process.cpuUsage();
  if (!(await crowd.run.until(() => crowd.state.round.number > number, LONGEST_ROUND_MS)))
    throw new Error(`round ${number} does not end: ${crowd.run.troubles().slice(-3).join('; ')}`);
  const entries = crowd.host.member!.log.length - before;
  return { round: number, members: crowd.size, cpuSeconds: secondsSince(start), entries };
}

/** Lets the world go on until all full members stand at one entry, and compares what they hold. */
async function statesAgree({ run }: SimCrowd): Promise<boolean> {
  const states = () => run.people.map(({ state }) => state!);
  const isLevel = () => new Set(states().map(({ head }) => head.index)).size === 1;
  if (!(await run.until(isLevel, LONGEST_ROUND_MS))) return false;
  return new Set(states().map((state) => idOf(state as unknown as Canonical))).size === 1;
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
