/**
 * One world from a plan: production members on simulated machines, first chaos, in which nothing wrong may happen, then a
 * healed network, in which everybody honest finishes rounds and is credited. Checkers look at every entry of both.
 */
import { type DeviceId, SeededRandom } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { type Charter, runId } from '@folkmoot/records';
import type { Truth } from '../checkers/index.ts';
import { Referee } from '../checkers/referee.ts';
import { sha } from '../checkers/second-opinion.ts';
import type { Violation } from '../checkers/violation.ts';
import { type Blow, NEMESES, type Nemesis } from '../nemeses/index.ts';
import { realTraining } from '../real-training.ts';
import { simCharter } from '../sim-charter.ts';
import type { SimClock } from '../sim-clock.ts';
import { GOOD_CONDITIONS } from '../sim-link.ts';
import { type SimPerson, SimRun } from '../sim-run.ts';
import type { Training } from '../training.ts';
import { Cast, doesNoWork } from './cast.ts';
import { Chronicle } from './chronicle.ts';
import { nameOf, type Plan, type Rules } from './plan.ts';

/** Rounds after the healing in which what the chaos left behind may still show. */
const AFTERMATH = 3;
/** Longest time for a round of a healed world, and with adversaries in it, virtual milliseconds. */
const ROUND_MS = 60_000;
const DISTURBED_ROUND_MS = 180_000;
/** Seats or witnesses where there are more members than that. */
const FEW = 4;
const RETURN_MS = 600_000;
const RETRY_MS = 3000;
const MOST_NEWCOMERS = 6;

/** What a world came to. */
export interface Outcome {
  readonly plan: Plan;
  readonly violation: Violation | undefined;
  /** Equal for equal plans, on every machine. */
  readonly traceHash: string;
  readonly chronicle: Chronicle;
  readonly referee: Referee;
  readonly run: SimRun;
}

export async function runWorld(plan: Plan): Promise<Outcome> {
  const real = plan.real ? await realTraining(plan.seed) : undefined;
  const world = new World(plan, real?.in);
  await world.live();
  await real?.close();
  return world.outcome();
}

class World {
  readonly #plan: Plan;
  readonly #run: SimRun;
  readonly #referee: Referee;
  readonly #chronicle: Chronicle;
  readonly #cast = new Cast();
  readonly #adversaries = new Map<DeviceId, string>();
  readonly #byId = new Map<DeviceId, SimPerson>();
  readonly #enders = new Set<() => void>();
  /** Their disks have forgotten what they had signed; and of those, who has contradicted itself since. */
  readonly #forgetful = new Set<DeviceId>();
  readonly #atFault = new Set<DeviceId>();
  #calmFrom: number | undefined;

  constructor(plan: Plan, training?: (clock: SimClock) => Training) {
    this.#plan = plan;
    this.#run = new SimRun(`world ${plan.seed}`, charterOf(plan.rules, plan.members.length), {}, training);
    for (const { name, adversary } of plan.members) this.#add(name, adversary);
    this.#referee = new Referee(this.#truth());
    this.#chronicle = new Chronicle(this.#run, plan);
    this.#run.watch = (person, notice) => {
      this.#referee.hear(person, notice);
      this.#chronicle.hear(person, notice);
      if (notice.kind !== 'entry') return;
      for (const event of notice.events)
        if (event.kind === 'fault' && this.#forgetful.has(event.device)) this.#atFault.add(event.device);
    };
  }

  async live(): Promise<void> {
    const onUnhandled = (error: unknown) =>
      this.#referee.fail(
        'I0',
        'surroundings',
        `nobody caught: ${error instanceof Error ? error.stack : String(error)}`,
      );
    process.on('unhandledRejection', onUnhandled);
    try {
      await this.#run.startAll();
      await this.#chaos();
      if (!this.#referee.violation) await this.#calm();
    } catch (error) {
      onUnhandled(error);
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  }

  outcome(): Outcome {
    const { hub, clock } = this.#run;
    const traceHash = sha(`${hub.traceHash} ${this.#referee.state.head.id} ${clock.now()}`);
    return {
      plan: this.#plan,
      violation: this.#referee.violation,
      traceHash,
      chronicle: this.#chronicle,
      referee: this.#referee,
      run: this.#run,
    };
  }

  // ---- Phase one -----------------------------------------------------------------------------------------------

  async #chaos(): Promise<void> {
    const { clock, hub, charter } = this.#run;
    const { weather, blows, chaosMs } = this.#plan;
    // Until others have fetched it, the creator's disk holds the only copy of the first base.
    await this.#until(
      () => this.#run.people.every(({ machine }) => machine.disk.artifacts.has(charter.initialBase)),
      RETURN_MS,
    );
    hub.change(weather);
    for (const blow of blows) clock.schedule(blow.atMs, () => this.#strike(blow));
    await this.#until(() => false, chaosMs);
  }

  #strike(blow: Blow): void {
    const { clock, people } = this.#run;
    const nemesis: Nemesis = (NEMESES as Record<string, Nemesis>)[blow.nemesis]!;
    const victims = blow.victims.flatMap((index) => people[index] ?? []);
    this.#chronicle.struck(blow, victims);
    const end = nemesis.strike(
      {
        run: this.#run,
        weather: { ...GOOD_CONDITIONS, ...this.#plan.weather },
        random: new SeededRandom(`${this.#plan.seed} ${blow.nemesis} ${blow.atMs}`),
        victims,
        crash: (person) => this.#crash(person),
        restart: (person) => void this.#restart(person),
        forget: ({ id }) => void this.#forgetful.add(id),
        join: () => this.#join(),
      },
      blow,
    );
    if (!end) return;
    const ender = () => {
      if (this.#enders.delete(ender)) end();
    };
    this.#enders.add(ender);
    clock.schedule(blow.lastsMs, ender);
  }

  #crash(person: SimPerson): void {
    if (!person.process) return;
    this.#chronicle.crashed(person);
    this.#run.crash(person);
  }

  /** Starts again until it works: an invite's doors may be out of reach for a while. */
  async #restart(person: SimPerson): Promise<void> {
    while (!person.process) {
      try {
        this.#chronicle.started(person);
        await this.#run.start(person);
        this.#referee.inspect(person);
      } catch (error) {
        this.#referee.hear(person, { kind: 'trouble', error });
        this.#crash(person);
        await this.#run.clock.sleep(RETRY_MS);
      }
    }
  }

  #join(): void {
    if (this.#run.people.length >= this.#plan.members.length + MOST_NEWCOMERS) return;
    const person = this.#add(nameOf(this.#run.people.length));
    void this.#restart(person);
  }

  #add(name: string, adversary?: string): SimPerson {
    const person = this.#run.add({ name, ...(adversary && { conduct: this.#cast.conductOf(adversary) }) });
    if (adversary) this.#adversaries.set(person.id, adversary);
    this.#byId.set(person.id, person);
    return person;
  }

  // ---- Phase two -----------------------------------------------------------------------------------------------

  async #calm(): Promise<void> {
    this.#heal();
    // Asked for each time: that somebody has contradicted itself may come to light late.
    const honest = () => this.#run.people.filter(({ id }) => this.#isHonest(id));
    const isBack = () => honest().every((person) => person.member !== undefined);
    if (!(await this.#until(isBack, RETURN_MS))) return this.#stuck('somebody does not come back', honest());
    const goal = this.#referee.state.finalized + this.#plan.rounds + AFTERMATH;
    this.#calmFrom = this.#referee.state.round.number + AFTERMATH;
    const roundMs = this.#adversaries.size === 0 ? ROUND_MS : DISTURBED_ROUND_MS;
    const isDone = () => honest().every(({ state }) => state!.finalized >= goal);
    if (!(await this.#until(isDone, roundMs * (this.#plan.rounds + AFTERMATH))))
      return this.#stuck('rounds do not end', honest());
    const agree = () => honest().every(({ state }) => state!.head.id === this.#referee.state.head.id);
    if (!(await this.#until(agree, roundMs))) return this.#stuck('logs do not come together', honest());
    this.#last(honest());
  }

  #heal(): void {
    const { hub, people } = this.#run;
    for (const ender of [...this.#enders]) ender();
    hub.change(GOOD_CONDITIONS);
    hub.heal();
    for (const person of people) {
      if (person.failure !== undefined) this.#crash(person);
      void this.#restart(person);
    }
    this.#chronicle.healed();
  }

  /** What must hold at the end: all agree, everybody honest was credited, no handler threw. */
  #last(honest: readonly SimPerson[]): void {
    const { handlerErrors } = this.#run.hub;
    for (const person of honest) {
      this.#referee.inspect(person);
      if (this.#plan.rules.leases && !this.#hadSeat(person)) continue;
      if (balanceOf(this.#referee.state.ledger, person.account.id).earned === 0)
        this.#referee.fail('I10', 'progress', `${person.name} is honest and has earned nothing in the end`);
    }
    const thrown = handlerErrors.find(({ device, error }) => !this.#adversaries.has(device) && !isExpected(error));
    if (thrown)
      this.#referee.fail('I0', 'surroundings', `the handler of "${thrown.protocol}" threw: ${String(thrown.error)}`);
  }

  /** In the healed world. Where there are fewer seats than members, some stand by all the time. */
  #hadSeat({ id }: SimPerson): boolean {
    const events = this.#referee.events.flatMap((entry) => entry.events);
    return events.some(
      (event) =>
        event.kind === 'settled' && event.settlement.device === id && event.settlement.round >= this.#calmFrom!,
    );
  }

  #stuck(what: string, honest: readonly SimPerson[]): void {
    const { round, finalized } = this.#referee.state;
    const where = honest.map(
      (person) => `${person.name} ${person.state ? `at entry ${person.state.head.index}` : 'is down'}`,
    );
    this.#referee.fail(
      'I10',
      'progress',
      `${what} in a healed world: round ${round.number} is in ${round.phase}, ${finalized} have ended; ${where.join(', ')}`,
    );
  }

  /** Lets the world go on until `isDone`, a violation, or the end of `limitMs`. */
  async #until(isDone: () => boolean, limitMs: number): Promise<boolean> {
    this.#referee.looks.progress!++;
    const { clock } = this.#run;
    const isOver = () => this.#referee.violation !== undefined || isDone();
    return (await clock.runUntil(isOver, clock.now() + limitMs)) && !this.#referee.violation;
  }

  #isHonest(device: DeviceId): boolean {
    return !this.#adversaries.has(device) && !this.#atFault.has(device);
  }

  #truth(): Truth {
    const world = this;
    const { charter } = this.#run;
    return {
      charter,
      run: runId(charter),
      isHonest: (device) => world.#isHonest(device),
      hasForgotten: (device) => world.#forgetful.has(device),
      doesNoWork: (device) => doesNoWork(world.#adversaries.get(device) ?? ''),
      keyOf: (device) => world.#byId.get(device)?.key,
      get auditorsAreHonest() {
        return [...world.#adversaries.values()].every(doesNoWork);
      },
      get allHonest() {
        return world.#adversaries.size + world.#atFault.size === 0;
      },
      get calmFrom() {
        return world.#calmFrom;
      },
      pretends: !this.#plan.real,
    };
  }
}

/** Credit unlocks early enough to be seen; where there are leases, most rounds are left in the middle. */
function charterOf({ exact, momentum, fewWitnesses, leases, rotates }: Rules, members: number): Charter {
  const charter = simCharter({ credit: { perSegment: 10, vestingRounds: 3 } });
  return {
    ...charter,
    ...(exact && { engine: { kind: 'exact', tolerancePpm: 0 } }),
    committee: {
      ...charter.committee,
      ...(fewWitnesses && { maxWitnesses: FEW }),
      ...(leases && { maxTrainers: Math.max(3, members - 2) }),
    },
    ...(leases && { stepsPerRound: 12, lease: { everyMs: 500, lapseMs: 1500, reserves: 8 } }),
    ...(rotates && { succession: { ...charter.succession, everyRounds: 2 } }),
    ...(momentum && { aggregator: { ...charter.aggregator, momentum: '0.5' } }),
  };
}

/** A handler ends with the trouble of its own disk, or because its process is told to stop. */
function isExpected(error: unknown): boolean {
  return error instanceof Error && ('code' in error || error.message === 'stopped');
}
