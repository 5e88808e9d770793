/** What is known of each audit: what was opened, who judged, how it was settled. The reducer forgets settled ones. */
import type { Settlement } from '@folkmoot/ledger';
import { type Audit, auditKey, type GivenVerdict, type State } from '@folkmoot/protocol';
import type { Told } from './story.ts';

export interface AuditFile {
  /** As the reducer had it last; `opened` and `closed` stay. */
  audit: Audit;
  readonly verdicts: GivenVerdict[];
  settlement?: Settlement;
}

export class AuditFiles {
  /** By `auditKey`, in the order in which they were drawn. */
  readonly all = new Map<string, AuditFile>();

  observe({ entry, events }: Told, state: State): void {
    const { body } = entry.record;
    if (body.kind === 'open' || body.kind === 'close') this.#update(auditKey(body.round, body.device), state);
    for (const event of events) {
      if (event.kind === 'audit-drawn') this.#update(auditKey(event.round, event.trainer), state);
      if (event.kind === 'verdict') this.all.get(auditKey(event.round, event.trainer))?.verdicts.push(event.verdict);
      if (event.kind === 'settled' || event.kind === 'amended') {
        const { round, device } = event.settlement;
        const file = this.all.get(auditKey(round, device));
        if (file) file.settlement = event.settlement;
      }
    }
  }

  #update(key: string, state: State): void {
    const audit = state.audits[key];
    if (!audit) return;
    const file = this.all.get(key);
    if (file) file.audit = structuredClone(audit);
    else this.all.set(key, { audit: structuredClone(audit), verdicts: [] });
  }
}
