/** What a strategy earns beyond its honest work, on the real reducer with its real draws: seeded, without network or tensors. */
import { hashOf } from '@folkmoot/core';
import type { Charter } from '@folkmoot/records';
import { ScriptedMember, ScriptedRun, testCharter } from '../../packages/protocol/src/scripted.test-support.ts';
import { honest, Player, type Strategy } from './strategies.ts';

/** Scripted members act one after the other, 100 ms each: nobody is late for that. */
const PATIENT = {
  ...testCharter().timing,
  trainMs: 600_000,
  revealMs: 600_000,
  witnessMs: 600_000,
  finalizeMs: 600_000,
  graceMs: 60_000,
  openTraceMs: 60_000,
  auditMs: 600_000,
};

export const SEGMENTS = 4;

/** The default policy: audits down to 5 %, twenty rounds locked, four segments in a round; `native`. */
export function policy(change: Partial<Charter> = {}): Charter {
  return testCharter({
    stepsPerRound: 2 * SEGMENTS,
    stepsPerSegment: 2,
    timing: PATIENT,
    audit: { floorPpm: 50_000 },
    credit: { perSegment: 10, vestingRounds: 20 },
    ...change,
  });
}

export interface Tally {
  /** Rounds in which the players had seats, all of them together. */
  rounds: number;
  /** Rounds of honest work. */
  worked: number;
  /** Rounds of pay that are theirs, or will be: without what was forfeited, and without what is frozen for good. */
  paid: number;
  /** Rounds of pay that were forfeited or are frozen. */
  lost: number;
  refused: number;
  audited: number;
  /** The same of the honest members. */
  honest: { paid: number; worked: number; refused: number; forfeited: number };
}

/** Plays `rounds` rounds. The world is that of `seed`: other seeds are other draws. */
export function play(strategy: Strategy, seed: number, rounds: number, charter = policy()): Tally {
  const members = Array.from({ length: strategy.members }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun({ ...charter, nonce: hashOf('security', seed) }, members, false);
  const players = members.slice(strategy.members - strategy.players);
  const others = members.slice(0, strategy.members - strategy.players);
  const withheld = new Set(strategy.serves === false ? players.map(({ id }) => id) : []);
  for (const member of others) member.behaviour = honest(withheld);
  for (const member of strategy.newcomer ? others : members) run.join(member);
  if (strategy.newcomer) {
    turns(run, () => run.state.round.number >= 2);
    for (const member of players) run.join(member);
  }
  const friends = new Set(players);
  const played = players.map((member) => new Player(member, strategy, friends));
  turns(run, () => run.state.round.number > rounds);
  return tallyOf(run, others, played);
}

/** Everybody does one duty after the other, in turn; time passes where nobody has any. */
function turns(run: ScriptedRun, done: () => boolean): void {
  while (!done()) {
    let acted = false;
    for (const member of run.members) acted = (run.state.members[member.id] !== undefined && run.act(member)) || acted;
    if (!acted && !run.pass()) return;
  }
}

function tallyOf(run: ScriptedRun, others: readonly ScriptedMember[], players: readonly Player[]): Tally {
  const { ledger, members, charter } = run.state;
  const rate = charter.credit.perSegment * run.segments;
  const accountOf = ({ id }: ScriptedMember) => ledger.accounts[members[id]!.account]!;
  const lockedIn = (account: ReturnType<typeof accountOf>) =>
    account.locks.reduce((sum, { amount }) => sum + amount, 0);
  const lostOf = (member: ScriptedMember) => {
    const account = accountOf(member);
    return account.forfeited + (account.frozen > 0 ? lockedIn(account) : 0);
  };
  const fates = run.settlements();
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const roundsOf = ({ id }: ScriptedMember) => fates.flatMap(({ device, round }) => (device === id ? [round] : []));
  const mine = players.map(({ member }) => member);
  const refusedOf = (set: readonly ScriptedMember[]) =>
    fates.filter(({ device, outcome }) => outcome === 'mismatch' && set.some(({ id }) => id === device)).length;
  const seatsOf = (set: readonly ScriptedMember[]) =>
    fates.filter(({ device, outcome }) => outcome !== 'void' && set.some(({ id }) => id === device)).length;
  return {
    rounds: seatsOf(mine),
    worked: sum(players.map(({ worked, member }) => sum(roundsOf(member).map((round) => worked.get(round) ?? 0)))),
    paid: sum(mine.map((member) => accountOf(member).earned - lostOf(member))) / rate,
    lost: sum(mine.map(lostOf)) / rate,
    refused: refusedOf(mine),
    audited: sum(players.map(({ audited }) => audited)),
    honest: {
      paid: sum(others.map((member) => accountOf(member).earned)) / rate,
      worked: seatsOf(others),
      refused: refusedOf(others),
      forfeited: sum(others.map(lostOf)) / rate,
    },
  };
}
