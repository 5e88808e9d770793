/** What a world came to, in numbers: rounds, who earned what, what befell whom, who looked how often. */
import { balanceOf } from '@folkmoot/ledger';
import { CHECKERS } from '../checkers/index.ts';
import { SIM_START_MS } from '../sim-clock.ts';
import type { Outcome } from './world.ts';

export interface Fortune {
  readonly name: string;
  readonly adversary?: string;
  readonly earned: number;
  readonly forfeited: number;
  /** How often each outcome. */
  readonly fates: Readonly<Record<string, number>>;
  readonly crashes: number;
}

export interface Summary {
  readonly seed: string;
  readonly rounds: number;
  readonly voids: number;
  readonly entries: number;
  /** Virtual time. */
  readonly lastedMs: number;
  readonly people: readonly Fortune[];
  /** Blows by nemesis. */
  readonly blows: Readonly<Record<string, number>>;
  readonly checkers: readonly { readonly name: string; readonly invariant: string; readonly looks: number }[];
  readonly traceHash: string;
  readonly violation?: { readonly invariant: string; readonly checker: string; readonly message: string };
}

const OTHER_CHECKERS = [
  ['copies', 'I8'],
  ['progress', 'I10'],
] as const;

export function summaryOf({ plan, run, referee, chronicle, traceHash, violation }: Outcome): Summary {
  const events = referee.events.flatMap((entry) => entry.events);
  const settled = events.flatMap((event) => (event.kind === 'settled' ? [event.settlement] : []));
  const people = run.people.map((person, index) => {
    const { earned, forfeited } = balanceOf(referee.state.ledger, person.account.id);
    const fates = countBy(settled.filter(({ device }) => device === person.id).map(({ outcome }) => outcome));
    const crashes = chronicle.marks.filter(({ who, kind }) => who === index && kind === 'crash').length;
    const adversary = plan.members[index]?.adversary;
    return { name: person.name, ...(adversary && { adversary }), earned, forfeited, fates, crashes };
  });
  const names = Object.entries(CHECKERS).map(([name, make]) => [name, INVARIANTS[name] ?? make.name] as const);
  return {
    seed: plan.seed,
    rounds: referee.state.finalized,
    voids: events.filter(({ kind }) => kind === 'void').length,
    entries: referee.state.head.index + 1,
    lastedMs: run.clock.now() - SIM_START_MS,
    people,
    blows: countBy(plan.blows.map(({ nemesis }) => nemesis)),
    checkers: [...names, ...OTHER_CHECKERS].map(([name, invariant]) => ({
      name,
      invariant,
      looks: referee.looks[name] ?? 0,
    })),
    traceHash,
    ...(violation && {
      violation: { invariant: violation.invariant, checker: violation.checker, message: violation.message },
    }),
  };
}

/** Which invariant each checker is about, in the order of the design. */
const INVARIANTS: Readonly<Record<string, string>> = {
  surroundings: 'I0',
  fates: 'I1',
  bases: 'I2',
  phases: 'I3',
  draws: 'I4',
  quorums: 'I4',
  honest: 'I5',
  credits: 'I6',
  carries: 'I6',
  inert: 'I7',
  forgery: 'I9',
  claims: 'I9',
};

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
