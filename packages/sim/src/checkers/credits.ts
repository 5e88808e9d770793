/** I6: credit is the rate times the segments that were verified or not drawn; zero work earns zero. Counted by hand. */
import type { AccountId, Hash } from '@folkmoot/core';
import type { Event, State } from '@folkmoot/protocol';
import type { RecordOf } from '@folkmoot/records';
import { type Checker, type Finding, first, isKind, type Look, short, type Truth } from './checker.ts';
import { SeatShares } from './seat-shares.ts';
import { canonical, hashParts, merkle, sha } from './second-opinion.ts';

interface Holding {
  /** Brought from the run that this one was forked from. */
  readonly carried: number;
  earned: number;
  forfeited: number;
  locks: [round: number, amount: number][];
  /** Rounds that were not opened: nothing unlocks meanwhile. */
  owed: number;
}

const PAID = new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced']);

export function credits(truth: Truth): Checker {
  const { charter, doesNoWork } = truth;
  const { perSegment, vestingRounds } = charter.credit;
  const segmentsOfRound = charter.stepsPerRound / charter.stepsPerSegment;
  const holdings = new Map<AccountId, Holding>();
  for (const { account, free, locked } of truth.shares ?? [])
    holdings.set(account, {
      ...{ carried: free + locked, earned: 0, forfeited: 0, owed: 0 },
      locks: locked > 0 ? [[0, locked]] : [],
    });
  const accountOf = new Map<string, AccountId>();
  const banned = new Set<string>();
  const touched = new Set<AccountId>();
  const shares = new SeatShares();
  const evidence = new Evidence(truth, accountOf, charter.engine.tolerancePpm);
  const included = new Map<number, readonly string[]>();

  function take(event: Event, { state, entry }: Look): Finding {
    switch (event.kind) {
      case 'joined':
        accountOf.set(event.device, event.account);
        if (!holdings.has(event.account))
          holdings.set(event.account, { carried: 0, earned: 0, forfeited: 0, locks: [], owed: 0 });
        touched.add(event.account);
        return undefined;
      case 'assigned':
        for (const holding of holdings.values())
          if (holding.owed === 0)
            holding.locks = holding.locks.filter(([round]) => round + vestingRounds + 2 > event.round);
        return undefined;
      case 'frozen':
      case 'thawed':
        holdings.get(accountOf.get(event.device)!)!.owed += event.kind === 'frozen' ? 1 : -1;
        return undefined;
      case 'included':
        included.set(event.round, event.trainers);
        return rootOf(state);
      case 'finalized':
        return undefined;
      case 'audit-drawn':
      case 'asked-again':
        evidence.drawn(event, entry.index);
        return undefined;
      case 'verdict':
        return evidence.judge(event);
      case 'fault':
      case 'forfeited': {
        if (event.kind === 'fault') banned.add(event.device);
        const account = accountOf.get(event.device)!;
        const holding = holdings.get(account)!;
        const locked = holding.locks.reduce((sum, [, amount]) => sum + amount, 0);
        holding.forfeited += locked;
        holding.locks = [];
        touched.add(account);
        const said = event.kind === 'fault' ? event.forfeited : event.amount;
        return said === locked ? undefined : `${short(event.device)} forfeits ${said}; ${locked} was locked`;
      }
      case 'settled':
        return settle(event.settlement);
      case 'dispute-ended':
        return evidence.disputed(event);
      case 'amended':
        return amend(event);
      case 'restored': {
        const account = accountOf.get(event.device)!;
        const holding = holdings.get(account)!;
        holding.forfeited -= event.amount;
        lock(account, event.round, event.amount);
        return undefined;
      }
    }
    return undefined;
  }

  function settle({
    round,
    device,
    account,
    outcome,
    segments,
  }: Extract<Event, { kind: 'settled' }>['settlement']): Finding {
    const says = `${short(device)} ends round ${round} ${outcome}`;
    if (account !== accountOf.get(device)) return `${says} for the account of somebody else`;
    // Of a vanished trainer's round only what an auditor has shown to have been worked.
    const worked = outcome === 'reproduced' ? evidence.reproducedOf(round, device) : segmentsOf(round, device);
    const wanted = PAID.has(outcome) && !banned.has(device) ? worked : 0;
    if (segments !== wanted) return `${says} with ${segments} segments paid; it is worth ${wanted}`;
    const isIn = included.get(round)?.includes(device) ?? false;
    if (wanted > 0 && !isIn && outcome !== 'reproduced')
      return `${says} and is paid, though its update was not included`;
    if (outcome === 'excluded' && isIn) return `${says}, though its update was included`;
    if ((outcome === 'matched' || outcome === 'within') && doesNoWork(device)) return `${says}, though it did no work`;
    const isCalm = truth.calmFrom !== undefined && round >= truth.calmFrom;
    if (wanted > 0 && doesNoWork(device) && isCalm && truth.auditorsAreHonest)
      return `${says} and is paid in a healed world, though it did no work`;
    const unfounded = evidence.decide(round, device, outcome);
    if (unfounded) return `${says}: ${unfounded}`;
    if (wanted === 0) return undefined;
    pay(account, round, wanted);
    return undefined;
  }

  /** What a dispute has proven, or left nothing of, in the place of an earlier fate. */
  function amend({ settlement, former }: Extract<Event, { kind: 'amended' }>): Finding {
    const { round, device, account, outcome, segments } = settlement;
    const says = `round ${round} of ${short(device)} becomes ${outcome} after ${former}`;
    const wanted = outcome === 'upheld' && !PAID.has(former) && !banned.has(device) ? segmentsOf(round, device) : 0;
    if (segments !== wanted) return `${says} with ${segments} segments paid; it is worth ${wanted}`;
    const unfounded = evidence.amends(round, device, outcome);
    if (unfounded) return `${says}: ${unfounded}`;
    if (wanted > 0) pay(account, round, wanted);
    return undefined;
  }

  /** What was left of the device’s seat when it got it. */
  const segmentsOf = (round: number, device: string) => segmentsOfRound - shares.before(round, device);

  function pay(account: AccountId, round: number, segments: number): void {
    holdings.get(account)!.earned += segments * perSegment;
    lock(account, round, segments * perSegment);
  }

  function lock(account: AccountId, round: number, amount: number): void {
    const { locks } = holdings.get(account)!;
    locks.push([round, amount]);
    locks.sort(([a], [b]) => a - b);
    touched.add(account);
  }

  function compare({ ledger }: State): Finding {
    return first(touched, (id) => {
      touched.delete(id);
      const found = ledger.accounts[id];
      const wanted = holdings.get(id)!;
      const locks = found?.locks.map(({ round, amount }) => [round, amount]);
      const same =
        found?.carried === wanted.carried &&
        found.earned === wanted.earned &&
        found.forfeited === wanted.forfeited &&
        canonical(locks) === canonical(wanted.locks);
      return same ? undefined : `account ${short(id)} holds ${canonical(found)}; counted by hand: ${canonical(wanted)}`;
    });
  }

  function rootOf(state: State): Finding {
    const rows = [...holdings].sort(([a], [b]) => (a < b ? -1 : 1));
    const wanted = merkle(
      rows.map(([id, { carried, earned, forfeited, locks, owed }]) =>
        sha(canonical([id, carried, earned, forfeited, locks, owed])),
      ),
    );
    const found = state.round.expected?.creditsRoot;
    return found === wanted ? undefined : `the header’s creditsRoot is ${found}; counted by hand: ${wanted}`;
  }

  return {
    invariant: 'I6',
    claim: 'credit is the rate times work that holds; no work earns nothing',
    after: (look) => {
      shares.see(look);
      if (look.accepted) evidence.hear(look);
      return first(look.events, (event) => take(event, look)) ?? compare(look.state);
    },
  };
}

/** What auditors committed to, what trainers opened, and what follows from them. */
class Evidence {
  readonly #truth: Truth;
  readonly #accountOf: ReadonlyMap<string, AccountId>;
  readonly #tolerancePpm: number;
  /** By `round trainer auditor`. */
  readonly #results = new Map<string, { result: Hash; index: number }>();
  readonly #closed = new Map<string, { body: RecordOf<'close'>; index: number }>();
  readonly #reproduced = new Map<string, number>();
  readonly #verdicts = new Map<string, RecordOf<'verdict'>>();
  /** The auditor and the entry that drew it, by `round trainer`. */
  readonly #drawn = new Map<string, { auditor: string; index: number }[]>();
  /** Verdicts by `round trainer`. */
  readonly #found = new Map<string, RecordOf<'verdict'>[]>();
  /** How disputes ended, by `round trainer accuser`. */
  readonly #ended = new Map<string, string>();

  constructor(truth: Truth, accountOf: ReadonlyMap<string, AccountId>, tolerancePpm: number) {
    this.#truth = truth;
    this.#accountOf = accountOf;
    this.#tolerancePpm = tolerancePpm;
  }

  hear({ body, entry }: Look): void {
    if (isKind(body, 'result'))
      this.#results.set(`${body.round} ${body.trainer} ${body.device}`, { result: body.result, index: entry.index });
    if (isKind(body, 'reproduced') && body.link !== null)
      this.#reproduced.set(`${body.round} ${body.trainer}`, body.segment);
    if (isKind(body, 'close')) this.#closed.set(`${body.round} ${body.device}`, { body, index: entry.index });
    if (isKind(body, 'verdict')) this.#verdicts.set(entry.record.id, body);
  }

  /** Segments of a vanished trainer that somebody has come to the end of. */
  reproducedOf(round: number, device: string): number {
    return this.#reproduced.get(`${round} ${device}`) ?? 0;
  }

  drawn({ round, trainer, auditor }: Extract<Event, { kind: 'audit-drawn' | 'asked-again' }>, index: number): void {
    const key = `${round} ${trainer}`;
    const others = (this.#drawn.get(key) ?? []).filter((drawn) => drawn.auditor !== auditor);
    this.#drawn.set(key, [...others, { auditor, index }]);
  }

  /** A verdict follows from what its auditor committed to before it saw the end, and from what the trainer opened. */
  judge({ round, trainer, verdict }: Extract<Event, { kind: 'verdict' }>): Finding {
    const body = this.#verdicts.get(verdict.id);
    const says = `the verdict of ${short(verdict.auditor)} on ${short(trainer)} in round ${round} (${verdict.outcome})`;
    if (!body || body.device !== verdict.auditor || body.trainer !== trainer) return `${says} is not what was signed`;
    if (this.#accountOf.get(trainer) === this.#accountOf.get(verdict.auditor))
      return `${says} is about its own account`;
    const key = `${round} ${trainer}`;
    this.#found.set(key, [...(this.#found.get(key) ?? []), body]);
    if (body.outcome === 'abstain' || body.outcome === 'unavailable') return undefined;
    const result = this.#results.get(`${key} ${verdict.auditor}`);
    const closed = this.#closed.get(key);
    if (!result || !closed) return `${says} comes before a result and the end of the trace`;
    // Whoever was drawn before the trainer opened the end; whoever is drawn later sees it.
    const isFirst = this.#drawn.get(key)!.some((drawn) => drawn.auditor === body.device && drawn.index < closed.index);
    if (isFirst && result.index > closed.index) return `${says} was committed to after the trainer had opened the end`;
    if (hashParts('audit-result', body.stateRoot!, body.salt!, body.device) !== result.result)
      return `${says} is not the committed result`;
    const equal = body.stateRoot === hashParts('state', closed.body.endParams, closed.body.endMoments);
    // Hashes in place of tensors are equal or nothing alike.
    if (body.outcome === 'within' && this.#truth.pretends && this.#truth.isHonest(body.device))
      return `${says} calls pretended states nearly equal`;
    if (body.outcome === 'match' && !equal) return `${says} is a match of unequal states`;
    if (body.outcome === 'within' && (equal || body.distancePpm > this.#tolerancePpm))
      return `${says} is not within the tolerance`;
    if (body.outcome === 'mismatch' && body.part === 'segment' && equal) return `${says} is a mismatch of equal states`;
    return undefined;
  }

  disputed({ round, trainer, accuser, standing }: Extract<Event, { kind: 'dispute-ended' }>): Finding {
    const key = `${round} ${trainer}`;
    const accused = this.#found.get(key)?.some(({ device, outcome }) => device === accuser && outcome === 'mismatch');
    if (!accused) return `${short(accuser)} disputes round ${round} of ${short(trainer)}, which it has not found wrong`;
    this.#ended.set(`${key} ${accuser}`, standing);
    return undefined;
  }

  /** Why the disputes do not change the outcome so. */
  amends(round: number, device: string, outcome: string): Finding {
    const key = `${round} ${device}`;
    const accusers = (this.#found.get(key) ?? []).filter((verdict) => verdict.outcome === 'mismatch');
    const standings = accusers.map((verdict) => this.#ended.get(`${key} ${verdict.device}`));
    if (outcome === 'arbitrated') return standings.includes('proven') ? undefined : 'nobody has proven it';
    const isLeft = standings.some((standing) => standing !== 'refuted' && standing !== 'withdrawn');
    return isLeft ? 'a finding against it is left' : undefined;
  }

  /** Why the outcome does not follow from the verdicts. */
  decide(round: number, device: string, outcome: string): Finding {
    const found = this.#found.get(`${round} ${device}`) ?? [];
    const good = found.filter((verdict) => verdict.outcome === 'match' || verdict.outcome === 'within').length;
    const bad = found.filter((verdict) => verdict.outcome === 'mismatch').length;
    if ((outcome === 'matched' || outcome === 'within') && (good === 0 || bad >= good))
      return `${good} for it, ${bad} against it`;
    if (outcome === 'mismatch' && bad < 2) return `${bad} auditors found that`;
    if (outcome === 'no-verdict' && good + bad > 0) return `${good + bad} verdicts were given`;
    return undefined;
  }
}
