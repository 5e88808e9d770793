/** From notices to what a person sees: folds the log's events and this node's own measurements. */
import { type DeviceId, isWorldError, shortId } from '@folkmoot/core';
import { balanceOf, explain, isPaid, type Settlement } from '@folkmoot/ledger';
import type { Notice } from '@folkmoot/node';
import type { Event, State } from '@folkmoot/protocol';
import { type Charter, segmentsAfter } from '@folkmoot/records';
import type { MemberView, ProgressState } from '../ui/progress-view.ts';
import type { Report } from '../ui/report.ts';
import type { Totals } from './totals.ts';

export interface FollowOptions {
  readonly charter: Charter;
  readonly state: State;
  readonly report: Report;
  readonly roundsTarget?: number;
  /** What this command started each member as; the log itself knows no roles. */
  readonly roleOf: (name: string) => string;
  /** Whether hold-out losses will come; without them a round is reported when its base is adopted. */
  readonly evaluates: boolean;
  /** Of the members on this machine. */
  readonly totals: () => Totals;
  /** Told when a round has ended and its hold-out loss is known. */
  readonly nowMs: () => number;
}

/** An update that earned nothing, and why. */
export interface RefusedUpdate {
  readonly round: number;
  readonly member: string;
  readonly device: DeviceId;
  readonly name: string;
  readonly reason: string;
}

export class RunFollower {
  readonly trainLoss: number[] = [];
  /** Loss of this node's first segment. */
  lossFirst: number | undefined;
  readonly holdoutLoss: number[] = [];
  readonly refused: RefusedUpdate[] = [];
  /** Updates that were included and credited. */
  accepted = 0;
  readonly #options: FollowOptions;
  readonly #startedMs: number;
  readonly #audits = new Map<DeviceId, { matched: number; failed: number }>();
  readonly #own = { text: '', device: '' };
  #roundLosses: number[] = [];
  #steps = 0;
  #tokens = 0;
  #muted = false;
  #updateBytes = 0;
  #included = 0;
  #trainers = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#startedMs = options.nowMs();
  }

  /** Mean artifact size of an included update, bytes; 0 before the first. */
  get bytesPerUpdate(): number {
    return this.#included === 0 ? 0 : Math.round(this.#updateBytes / this.#included);
  }

  /** Tokens of committed work over the time since the start, all members together. */
  get tokensPerSecond(): number {
    const seconds = (this.#options.nowMs() - this.#startedMs) / 1000;
    return seconds > 0 ? this.#tokens / seconds : 0;
  }

  /** Tells nothing more: members that leave in the end are no news. */
  mute(): void {
    this.#muted = true;
  }

  /** Takes part in everything that the member tells. */
  notice(notice: Notice): void {
    if (this.#muted) return;
    switch (notice.kind) {
      case 'entry':
        for (const event of notice.events) this.#event(event);
        break;
      case 'training':
        this.#roundLosses.push(notice.loss);
        this.lossFirst ??= notice.firstLoss;
        this.#own.text = `training ${Math.round((100 * notice.segment) / notice.segments)} %`;
        break;
      case 'evaluated':
        this.holdoutLoss.push(notice.holdoutLoss);
        this.#options.report.round({ ...this.progress(), round: notice.round });
        break;
      case 'adopted':
        if (!this.#options.evaluates) this.#options.report.round({ ...this.progress(), round: notice.round });
        break;
      case 'desync':
        this.#options.report.event(`round ${notice.round} comes out differently here than the witnesses signed`, {
          type: 'desync',
        });
        break;
      case 'fork-seen':
        this.#options.report.event(`${shortId(notice.device)} was shown another log before entry ${notice.index}`, {
          type: 'fork',
        });
        break;
      case 'left-out':
        this.#options.report.event(
          `${this.nameOf(notice.sequencer)} left out a record of ${this.nameOf(notice.device)} that the rules would take`,
          { type: 'left-out', device: notice.device, round: notice.round },
        );
        break;
      case 'complained':
        this.#options.report.event(
          `${this.nameOf(notice.sequencer)} leaves out records: this member votes for another to order the log`,
          { type: 'complained', sequencer: notice.sequencer, term: notice.term },
        );
        break;
      case 'trouble':
        if (isWorldError(notice.error)) this.#options.report.event(notice.error.message, { code: notice.error.code });
        else if (process.env.FOLKMOOT_DEBUG)
          this.#options.report.event(String((notice.error as Error)?.stack ?? notice.error));
        break;
    }
    this.#options.report.update(this.progress());
  }

  /** Names the own device, whose training shows in more detail. */
  own(device: DeviceId): void {
    this.#own.device = device;
  }

  progress(): ProgressState {
    const { charter, state, roundsTarget, totals, nowMs } = this.#options;
    return {
      run: { name: charter.name, id: state.run },
      phase: state.round.phase,
      round: Math.max(1, state.finalized + (state.round.phase === 'open' || this.#isDone() ? 0 : 1)),
      roundsTarget,
      elapsedMs: nowMs() - this.#startedMs,
      trainLoss: this.trainLoss,
      holdoutLoss: this.holdoutLoss,
      tokensPerSecond: Math.round(this.tokensPerSecond),
      ...totals(),
      allReduceBytes: this.allReduceBytes,
      members: Object.entries(state.members).map(([device, member]) => this.#memberView(device, member)),
    };
  }

  /**
   * What synchronous data-parallel training would have sent for the same steps: in a ring all-reduce of float32 gradients
   * each of M members sends 2·(M−1)/M · 4N bytes in every step.
   */
  get allReduceBytes(): number {
    return Math.max(0, 2 * (this.#trainers - 1)) * 4 * this.#options.charter.parameters * this.#steps;
  }

  nameOf(device: DeviceId): string {
    return this.#options.state.members[device]?.name ?? shortId(device);
  }

  #isDone(): boolean {
    return this.#options.state.finalized >= (this.#options.roundsTarget ?? Number.POSITIVE_INFINITY);
  }

  #event(event: Event): void {
    const { report, charter } = this.#options;
    switch (event.kind) {
      case 'joined':
        report.event(`${event.name} joined`, { type: 'joined', member: event.account, device: event.device });
        break;
      case 'away':
        // Who trains no more gives no sign of life.
        if (this.#isDone() && event.reason.startsWith('no sign of life')) break;
        report.event(`${this.nameOf(event.device)} is away: ${event.reason}`, { type: 'away', device: event.device });
        break;
      case 'assigned':
        this.#trainers = Math.max(this.#trainers, event.trainers.length);
        break;
      case 'committed': {
        const segments = segmentsAfter(charter, this.#options.state.round.seats[event.device] ?? { skip: 0 });
        this.#tokens += segments * charter.stepsPerSegment * charter.batchRows * charter.model.context;
        break;
      }
      case 'revealed':
        this.#pendingBytes.set(event.device, event.updateBytes);
        break;
      case 'included':
        for (const trainer of event.trainers) {
          this.#included++;
          this.#updateBytes += this.#pendingBytes.get(trainer) ?? 0;
        }
        break;
      case 'finalized':
        this.#steps += charter.stepsPerRound;
        if (this.#roundLosses.length > 0) this.trainLoss.push(this.#roundLosses.at(-1)!);
        this.#roundLosses = [];
        break;
      case 'void':
        report.event(`round ${event.round} is void: ${event.reason}`, { type: 'void', round: event.round });
        break;
      case 'amended':
      case 'settled':
        this.#settled(event.settlement);
        break;
      case 'forfeited':
        report.event(
          `${this.nameOf(event.device)} ${forfeitText(event.amount)}: its auditors found what no honest engine makes`,
          { type: 'forfeited', device: event.device, amount: event.amount },
        );
        break;
      case 'fault':
        report.event(
          `${this.nameOf(event.device)} signed two contradicting records and forfeits ${event.forfeited} credits`,
          { type: 'fault', device: event.device },
        );
        break;
    }
  }

  readonly #pendingBytes = new Map<DeviceId, number>();

  #settled(settlement: Settlement): void {
    const { charter, report } = this.#options;
    const { device, account, round, outcome } = settlement;
    const tally = this.#audits.get(device) ?? { matched: 0, failed: 0 };
    if (outcome === 'matched' || outcome === 'within') tally.matched++;
    if (isPaid(outcome)) {
      this.accepted++;
      this.#audits.set(device, tally);
      return;
    }
    if (outcome !== 'void' && outcome !== 'late') tally.failed++;
    this.#audits.set(device, tally);
    const reason = explain(settlement, settlement.segments * charter.credit.perSegment, (id) => this.nameOf(id));
    if (outcome === 'void' || outcome === 'late') return;
    this.refused.push({ round, member: account, device, name: this.nameOf(device), reason });
    report.event(reason, { type: 'refused', member: account, device, round, outcome });
  }

  #memberView(device: DeviceId, member: State['members'][string]): MemberView {
    const { state, roleOf } = this.#options;
    const tally = this.#audits.get(device) ?? { matched: 0, failed: 0 };
    return {
      name: member.name,
      id: member.account,
      role: roleOf(member.name),
      state: this.#stateText(device, member),
      credits: balanceOf(state.ledger, member.account).earned,
      audits: { ...tally, pending: Object.values(state.audits).filter((audit) => audit.trainer === device).length },
    };
  }

  #stateText(device: DeviceId, member: State['members'][string]): string {
    const { round } = this.#options.state;
    if (member.banned) return 'banned';
    if (member.revoked) return 'revoked';
    if (!member.ready) return 'away';
    const seat = round.seats[device];
    if (this.#isDone()) return 'done';
    switch (round.phase) {
      case 'train':
        if (!seat) return 'waiting for the next round';
        return seat.commit ? 'committed' : device === this.#own.device ? this.#own.text || 'training' : 'training';
      case 'reveal':
        return seat?.update ? 'revealed' : 'revealing';
      case 'witness':
        return round.attested[device] ? 'attested' : 'witnessing';
      case 'finalize':
        return round.signed[device] ? 'signed' : 'aggregating';
      default:
        return 'ready';
    }
  }
}

const forfeitText = (amount: number) =>
  amount > 0 ? `forfeits ${amount} locked credits` : 'has nothing locked to forfeit';
