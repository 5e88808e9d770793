/**
 * Real members under blows: killed, stopped, cut off, delayed, for as long as one wants. What must hold:
 *
 * 1. No gap without a finished round is longer than twice the charter's deadline for a round, as long as no more are away at
 *    once than the table of decision 29 lets go: who is hit counts until it has told of a round that came after, and the founder
 *    until a header was finished without it. Of four members three are just a quorum, of three two; with one more away the
 *    protocol promises no round but that the run waits.
 * 2. All members have the same header for every round, and compute the same bases.
 * 3. Nobody honest is found at fault, no member ends by itself, and nothing that was credited is lost.
 * 4. When the blows are over, all members take part in the rounds that follow.
 * 5. Where the founder was killed for good, the others need nothing of it: see `heirs.ts`.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { below, type Hash, SeededRandom } from '@folkmoot/core';
import { quorumOf } from '@folkmoot/records';
import { openLog, type Process, World } from '../harness.ts';
import { BLOWS, type Blow, type BlowKind, nextBlow } from './blows.ts';
import { inherit } from './heirs.ts';
import { Story } from './story.ts';
import { ROUND_DEADLINE_MS, Village } from './village.ts';

export interface ChaosOptions {
  readonly seed: string;
  readonly members: number;
  /** How long blows fall. */
  readonly forMs: number;
  readonly kinds: readonly BlowKind[];
  /** After half of the time the founder is killed and does not come back; at least one blow falls after that. */
  readonly founderDies: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: ChaosEvent) => void;
}

export type ChaosEvent =
  | { readonly kind: 'started'; readonly atMs: number; readonly members: readonly string[]; readonly isolated: boolean }
  | { readonly kind: 'blow'; readonly atMs: number; readonly blow: Blow }
  | { readonly kind: 'back'; readonly atMs: number; readonly name: string }
  | { readonly kind: 'buried'; readonly atMs: number; readonly name: string }
  | { readonly kind: 'newcomer'; readonly atMs: number; readonly name: string; readonly through: string }
  | { readonly kind: 'round'; readonly atMs: number; readonly round: number; readonly gapMs: number };

export interface ChaosResult {
  readonly isolated: boolean;
  readonly blows: Readonly<Record<BlowKind, number>>;
  readonly rounds: number;
  readonly voids: number;
  readonly longestGapMs: number;
  readonly allowedGapMs: number;
  readonly meanRoundMs: number;
  /** Credits by name. */
  readonly credits: Readonly<Record<string, number>>;
  /** Settled seats that were paid, of all that were settled. */
  readonly paidSeats: number;
  readonly seats: number;
}

const LOOK_MS = 100;
/** Rounds in which all take part again, after the last blow. */
const LAST_ROUNDS = 3;
const NEWCOMER = 'zoe';
const NAMES = ['ana', 'ben', 'cleo', 'dara', 'emil', 'fay', 'gus', 'hana', 'ivo', 'june'];

/** Throws `AssertionError` with the seed's story where something does not hold. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const after: (() => Promise<void>)[] = [];
  const world = new World({ after: (close) => void after.push(close as () => Promise<void>) });
  try {
    const names = NAMES.slice(0, options.members);
    const village = await Village.found(world, names, options.founderDies ? [NEWCOMER] : []);
    return await new Ordeal(village, options).run();
  } finally {
    for (const close of after) await close();
  }
}

class Ordeal {
  readonly #village: Village;
  readonly #options: ChaosOptions;
  readonly #random: SeededRandom;
  readonly #story = new Story();
  readonly #blows = Object.fromEntries(BLOWS.map((kind) => [kind, 0])) as Record<BlowKind, number>;
  readonly #read = new Map<Process, number>();
  /** Who was hit, or has died, and the round after which it is known that nobody waits for it: when it has told of a later one. */
  readonly #away = new Map<string, number>();
  #rounds = 0;
  #lastRoundMs = Date.now();
  #longestGapMs = 0;

  constructor(village: Village, options: ChaosOptions) {
    this.#village = village;
    this.#options = options;
    this.#random = new SeededRandom(`chaos ${options.seed}`);
  }

  async run(): Promise<ChaosResult> {
    const { forMs, founderDies } = this.#options;
    const { names, star } = this.#village;
    this.#tell({ kind: 'started', atMs: 0, members: names, isolated: star.isolated });
    await this.#untilRound(1);
    const endMs = Date.now() + forMs;
    const buryMs = founderDies ? Date.now() + forMs / 2 : Number.POSITIVE_INFINITY;
    while (Date.now() < Math.min(endMs, buryMs)) await this.#strike();
    if (founderDies) {
      await this.#bury(names[0]!);
      do await this.#strike();
      while (Date.now() < endMs);
    }
    await this.#recover();
    if (founderDies) await this.#inherit();
    return this.#judge();
  }

  /** One blow, its end, and a pause in which a round or two may be quiet. */
  async #strike(): Promise<void> {
    const standing = this.#village.remaining;
    await this.#untilFewerAway(standing);
    const blow = nextBlow(this.#random, standing, this.#room(standing), this.#options.kinds);
    this.#blows[blow.kind]++;
    this.#tell({ kind: 'blow', atMs: this.#story.nowMs, blow });
    for (const name of blow.victims) this.#away.set(name, Number.POSITIVE_INFINITY);
    blow.strike(this.#village);
    await this.#look(blow.forMs);
    for (const name of blow.victims) this.#away.set(name, this.#rounds);
    await this.#look(1000 * (1 + below(this.#random, 8)));
  }

  /** How many more may be hit now, so that the others are a quorum; of two, whom the other waits for, one. */
  #room(standing: readonly string[]): number {
    return Math.max(1, standing.length - quorumOf(standing.length)) - this.#away.size;
  }

  /** Until somebody may be hit again: who comes back late is seen here, and who does not come back at all. */
  async #untilFewerAway(standing: readonly string[]): Promise<void> {
    const giveUpMs = Date.now() + 2 * ROUND_DEADLINE_MS;
    while (this.#room(standing) < 1) {
      if (Date.now() > giveUpMs) await this.#fail(`${[...this.#away.keys()].join(', ')} did not come back`);
      await this.#look(LOOK_MS);
    }
  }

  async #bury(name: string): Promise<void> {
    await this.#untilFewerAway(this.#village.names);
    this.#tell({ kind: 'buried', atMs: this.#story.nowMs, name });
    await this.#village.bury(name);
    // The round that ends now may still have been ended by it.
    this.#away.set(name, this.#rounds + 1);
  }

  /** All who remain take part in rounds that finish. */
  async #recover(): Promise<void> {
    const from = this.#rounds;
    await this.#untilRound(from + LAST_ROUNDS);
    // A member that was away for the last blow may have needed a round to come back.
    await this.#untilAll(from + LAST_ROUNDS);
    this.#village.stopTimers();
  }

  /** A newcomer comes in through a member who is no founder, takes part in a round, and every command works there. */
  async #inherit(): Promise<void> {
    const [host] = this.#village.remaining;
    this.#tell({ kind: 'newcomer', atMs: this.#story.nowMs, name: NEWCOMER, through: host! });
    let isOver = false;
    const inheriting = inherit(this.#village, NEWCOMER, host!).finally(() => (isOver = true));
    inheriting.catch(() => {});
    while (!isOver) await this.#look(LOOK_MS);
    await inheriting;
  }

  async #untilRound(round: number): Promise<void> {
    while (this.#rounds < round) await this.#look(LOOK_MS);
  }

  async #untilAll(round: number): Promise<void> {
    const giveUpMs = Date.now() + 2 * ROUND_DEADLINE_MS;
    const behind = () =>
      this.#village.remaining.filter((name) => (lastRound(this.#village.process(name)) ?? 0) < round);
    while (behind().length > 0) {
      if (Date.now() > giveUpMs) await this.#fail(`${behind().join(', ')} did not come back`);
      await this.#look(LOOK_MS);
    }
  }

  /** Lets time pass and watches. */
  async #look(forMs: number): Promise<void> {
    const endMs = Date.now() + forMs;
    do {
      this.#options.signal?.throwIfAborted();
      await sleep(Math.min(LOOK_MS, forMs));
      await this.#readLines();
      const gapMs = Date.now() - this.#lastRoundMs;
      if (gapMs > 2 * ROUND_DEADLINE_MS) await this.#fail(`no round in ${Math.round(gapMs / 1000)} s`);
      const fallen = this.#village.fallen();
      if (fallen.length > 0)
        await this.#fail(
          `ended by itself: ${fallen.map(({ name, stderr }) => `${name} ${stderr.slice(-1000)}`).join(', ')}`,
        );
    } while (Date.now() < endMs);
  }

  /** What members have printed since the last look. */
  async #readLines(): Promise<void> {
    for (const [name, starts] of this.#village.starts)
      for (const process of starts.slice(-1)) {
        const from = this.#read.get(process) ?? 0;
        this.#read.set(process, process.lines.length);
        for (const line of process.lines.slice(from)) {
          this.#story.said(name, line);
          if (['desync', 'fault', 'forfeited'].includes(line.type ?? ''))
            await this.#fail(`${name}: ${JSON.stringify(line)}`);
          if (line.type === 'round') this.#toldOf(name, line.round as number);
        }
      }
  }

  #toldOf(name: string, round: number): void {
    this.#finished(round);
    for (const [away, after] of this.#away) {
      const isBack = round > after && (away === name || !this.#village.remaining.includes(away));
      if (!isBack) continue;
      this.#away.delete(away);
      if (away === name) this.#tell({ kind: 'back', atMs: this.#story.nowMs, name });
    }
  }

  #finished(round: number): void {
    if (round <= this.#rounds) return;
    const gapMs = Date.now() - this.#lastRoundMs;
    // The first one waits for members to start.
    if (this.#rounds > 0) this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
    this.#rounds = round;
    this.#lastRoundMs = Date.now();
    this.#tell({ kind: 'round', atMs: this.#story.nowMs, round, gapMs });
  }

  /** What the logs say, when all is over. */
  async #judge(): Promise<ChaosResult> {
    const { names, remaining, run } = this.#village;
    for (const name of remaining) this.#village.process(name).signal('SIGTERM');
    await Promise.all(remaining.map((name) => this.#village.process(name).ended));
    const stories = names.map((name) => ({ name, ...headersOf(this.#village.process(name).home, run) }));
    for (const { name, headers } of stories)
      for (const [round, header] of headers)
        for (const other of stories)
          assert.equal(
            other.headers.get(round) ?? header,
            header,
            `${name} and ${other.name} differ in round ${round}`,
          );
    const { state, seats, paidSeats, voids } = stories.reduce((a, b) => (b.headers.size > a.headers.size ? b : a));
    for (const member of Object.values(state.members)) {
      assert.ok(!member.banned && member.failedAudits === 0, `${member.name} is held to have cheated`);
      // Who has died may have died before its traces were asked for.
      const isPaid = state.ledger.accounts[member.account]!.earned > 0 || !remaining.includes(member.name);
      assert.ok(isPaid, `${member.name} was never paid`);
      assert.equal(state.ledger.accounts[member.account]!.forfeited, 0);
    }
    return {
      isolated: this.#village.star.isolated,
      blows: this.#blows,
      rounds: state.finalized,
      voids,
      longestGapMs: this.#longestGapMs,
      allowedGapMs: 2 * ROUND_DEADLINE_MS,
      meanRoundMs: Math.round(this.#story.nowMs / Math.max(1, this.#rounds)),
      credits: Object.fromEntries(
        Object.values(state.members).map(({ name, account }) => [name, state.ledger.accounts[account]!.earned]),
      ),
      paidSeats,
      seats,
    };
  }

  #tell(event: ChaosEvent): void {
    this.#story.happened(event);
    this.#options.onEvent?.(event);
  }

  async #fail(what: string): Promise<never> {
    assert.fail(`${what}\n${await this.#story.tell(this.#options.seed, this.#village)}`);
  }
}

function lastRound({ lines }: Process): number | undefined {
  for (let i = lines.length - 1; i >= 0; i--) if (lines[i]!.type === 'round') return lines[i]!.round as number;
  return undefined;
}

/** The header of each finished round in a member's own log, which must fold without a refusal of the log itself. */
function headersOf(home: string, run: Hash) {
  const log = openLog(home, run);
  const headers = new Map<number, Hash>();
  let [seats, paidSeats, voids] = [0, 0, 0];
  const state = log.now((event) => {
    if (event.kind === 'finalized') headers.set(event.round, event.header);
    if (event.kind === 'void') voids++;
    if (event.kind === 'settled') seats++;
    if (event.kind === 'settled' && event.settlement.segments > 0) paidSeats++;
  });
  return { headers, state, seats, paidSeats, voids };
}
