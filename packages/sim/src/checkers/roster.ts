/** Who is who, counted from events: the checkers' own list of members. */
import type { AccountId, DeviceId } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import type { RecordBody } from '@folkmoot/records';

export interface Listed {
  readonly account: AccountId;
  ready: boolean;
  banned: boolean;
  founder: boolean;
  /** Rounds that an audit has matched. */
  verified: number;
  clean: number;
  due: boolean;
  /** Contradicted as an auditor, and not audited clean since. */
  overruled: boolean;
}

export class Roster {
  readonly members = new Map<DeviceId, Listed>();
  /** Open audits, `round device`. */
  readonly audits = new Map<string, DeviceId[]>();

  /** One event, in order. */
  take(event: Event): void {
    switch (event.kind) {
      case 'joined':
        this.members.set(event.device, {
          account: event.account,
          ready: false,
          banned: false,
          // A new machine of an old member is no stranger.
          founder: [...this.members].some(([id, { account }]) => account === event.account && this.isSenior(id)),
          verified: 0,
          clean: 0,
          due: false,
          overruled: false,
        });
        break;
      case 'ready':
      case 'away':
        this.members.get(event.device)!.ready = event.kind === 'ready';
        break;
      case 'fault':
      case 'revoked':
        Object.assign(this.members.get(event.device)!, { ready: false, banned: true });
        break;
      case 'assigned':
        if (event.round === 1) for (const device of this.ready()) this.members.get(device)!.founder = true;
        break;
      case 'audit-drawn':
        this.audits.set(`${event.round} ${event.trainer}`, [
          ...(this.audits.get(`${event.round} ${event.trainer}`) ?? []),
          event.auditor,
        ]);
        break;
      case 'overruled':
        Object.assign(this.members.get(event.device)!, { overruled: true, clean: 0 });
        break;
      case 'settled':
        this.#settle(event.settlement);
        break;
      case 'amended':
        if (event.settlement.outcome === 'arbitrated') this.members.get(event.settlement.device)!.clean = 0;
    }
  }

  /** A record that took effect. */
  heard(body: RecordBody): void {
    const member = this.members.get(body.device);
    if (body.kind === 'ready' && body.reset) member!.clean = 0;
    // Who had left, or was missed, and delivers all the same, is back.
    if (body.kind === 'commit') member!.ready = true;
  }

  /** The first device of each account that is ready, ascending. */
  ready(): DeviceId[] {
    const accounts = new Set<AccountId>();
    return [...this.members.keys()].sort().filter((device) => {
      const { ready, banned, account } = this.members.get(device)!;
      if (!ready || banned || accounts.has(account)) return false;
      accounts.add(account);
      return true;
    });
  }

  isSenior(device: DeviceId): boolean {
    const { banned, founder, verified } = this.members.get(device)!;
    return !banned && (founder || verified > 0);
  }

  /** Seniors in the run, present or not. */
  get seniors(): DeviceId[] {
    return [...this.members.keys()].filter((device) => this.isSenior(device));
  }

  /** Those of `ready` who may witness and audit. */
  trusted(): DeviceId[] {
    return this.seniors.length >= 2 ? this.ready().filter((device) => this.isSenior(device)) : this.ready();
  }

  #settle({ round, device, outcome }: { round: number; device: DeviceId; outcome: string }): void {
    const member = this.members.get(device)!;
    // An outcome that no audit gave leaves the standing as it is.
    if (!this.audits.delete(`${round} ${device}`)) return;
    member.due = outcome === 'no-verdict' || outcome === 'disputed';
    if (outcome === 'matched' || outcome === 'within') {
      member.clean++;
      member.overruled = false;
      member.verified++;
    } else if (!member.due) member.clean = 0;
  }
}
