/** A run of real members on a star network, which can be hit in every way of `blows.ts`. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hash } from '@folkmoot/core';
import type { Process, World } from '../harness.ts';
import type { Reach } from './blows.ts';
import { type Place, Star } from './star.ts';

/**
 * Small and impatient, so that minutes show what hours would: a round of a few seconds, and no phase that waits much longer
 * than a member that is hit is away. Training has longer, since nobody waits for it once most have delivered: with 20 s every
 * round was void on a machine with fourteen processes a core.
 */
export const RULES = {
  batchRows: 4,
  stepsPerRound: 8,
  stepsPerSegment: 2,
  succession: { silenceMs: 8000, everyRounds: 0 },
  timing: {
    openMs: 1500,
    trainMs: 40_000,
    revealMs: 6000,
    witnessMs: 8000,
    finalizeMs: 8000,
    graceMs: 2500,
    openTraceMs: 10_000,
    auditMs: 20_000,
  },
} as const;

/** What a round may take by the charter if every phase takes all the time that it has. */
export const ROUND_DEADLINE_MS =
  RULES.timing.trainMs + RULES.timing.revealMs + RULES.timing.witnessMs + RULES.timing.finalizeMs;

export class Village implements Reach {
  /** Everybody who has ever taken part. */
  readonly names: string[];
  readonly star: Star;
  readonly run: Hash;
  /** Every start of every member, the last one at the end. */
  readonly starts: Map<string, Process[]>;
  /** Members that were killed for good. */
  readonly #gone = new Set<string>();
  readonly #world: World;
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(world: World, star: Star, names: readonly string[], run: Hash, starts: Map<string, Process[]>) {
    this.#world = world;
    this.star = star;
    this.names = [...names];
    this.run = run;
    this.starts = starts;
  }

  /** Founds a run on the first member and lets the others join; `later` may come later. Everything ends with `world`. */
  static async found(world: World, names: readonly string[], later: readonly string[] = []): Promise<Village> {
    const star = await Star.build([...names, ...later]);
    world.onClose(() => star.close());
    const rules = join(world.folder, 'rules.json');
    writeFileSync(rules, JSON.stringify(RULES));
    const [first, ...others] = star.places.slice(0, names.length) as [Place, ...Place[]];
    const args = ['--min-members', String(Math.min(3, names.length)), '--rules', rules];
    const founder = await world.create(first.name, [...first.options, ...args], { behind: first.behind });
    star.isProcess(first.name, founder.pid);
    const { invite, runId } = await founder.started();
    const joined = others.map((place) => {
      const process = world.join(place.name, invite, [...place.options, '--no-evaluate'], { behind: place.behind });
      star.isProcess(place.name, process.pid);
      return process;
    });
    await Promise.all(joined.map((process) => process.started()));
    const starts = new Map([founder, ...joined].map((process) => [process.name, [process]]));
    return new Village(world, star, names, runId, starts);
  }

  process(name: string): Process {
    return this.starts.get(name)!.at(-1)!;
  }

  /** Members that are to be there in the end. */
  get remaining(): readonly string[] {
    return this.names.filter((name) => !this.#gone.has(name));
  }

  kill(names: readonly string[], downMs: number): void {
    for (const name of names)
      void this.process(name)
        .kill()
        .then(() => this.#later(downMs, () => this.#restart(name)));
  }

  /** Ends the member for good. */
  async bury(name: string): Promise<void> {
    this.#gone.add(name);
    await this.process(name).kill();
  }

  /** Lets somebody in by the invite that `host` gives. */
  async welcome(name: string, host: string): Promise<Process> {
    const invited = this.ask(host, ['invite']);
    assert.equal((await invited.ended).code, 0, invited.output);
    const { behind, options } = this.#place(name);
    const invite = invited.lines.at(-1)!.invite as string;
    const process = this.#world.join(name, invite, [...options, '--no-evaluate'], { behind });
    this.star.isProcess(name, process.pid);
    this.starts.set(name, [process]);
    this.names.push(name);
    return process;
  }

  /** Starts another command on the home of a member, as its owner might. */
  ask(name: string, args: readonly string[]): Process {
    return this.#world.start(name, args, { behind: this.#place(name).behind });
  }

  /** A folder for what commands write. */
  folder(name: string): string {
    return join(this.#world.folder, name);
  }

  pause(names: readonly string[], forMs: number): void {
    const processes = names.map((name) => this.process(name));
    for (const process of processes) process.signal('SIGSTOP');
    this.#later(forMs, () => {
      for (const process of processes) process.signal('SIGCONT');
    });
  }

  cut(side: readonly string[], forMs: number, oneWay: boolean): void {
    const others = this.names.filter((name) => !side.includes(name));
    const away = side.flatMap((from) => others.map((to) => [from, to] as const));
    this.star.cut(oneWay ? away : [...away, ...away.map(([from, to]) => [to, from] as const)]);
    this.#later(forMs, () => this.star.cut([]));
  }

  delay(names: readonly string[], meanMs: number, forMs: number): void {
    this.star.delay(Object.fromEntries(names.map((name) => [name, meanMs])));
    this.#later(forMs, () => this.star.delay({}));
  }

  /** Members whose process has ended without being killed. */
  fallen(): Process[] {
    return this.remaining.map((name) => this.process(name)).filter(({ isOver, wasKilled }) => isOver && !wasKilled);
  }

  /** No blow goes on after this. */
  stopTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Again with the command with which it was started. */
  #restart(name: string): void {
    const process = this.#world.start(name, this.process(name).args, { behind: this.#place(name).behind });
    this.star.isProcess(name, process.pid);
    this.starts.get(name)!.push(process);
  }

  #place(name: string): Place {
    return this.star.places.find((place) => place.name === name)!;
  }

  #later(afterMs: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, afterMs);
    this.#timers.add(timer);
  }
}
