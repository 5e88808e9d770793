/** What member processes have sent and spent: told by each, added up by the one that started them. */

export interface Totals {
  readonly sentBytes: number;
  /** Artifact bytes fetched for audits. */
  readonly auditBytes: number;
  /** For how long the engine trained and re-executed, seconds. */
  readonly trainSeconds: number;
  readonly auditSeconds: number;
  /** Processor time of the whole process, all threads, seconds. */
  readonly cpuSeconds: number;
}

export const NOTHING_YET: Totals = { sentBytes: 0, auditBytes: 0, trainSeconds: 0, auditSeconds: 0, cpuSeconds: 0 };

export function sumOf(parts: readonly Totals[]): Totals {
  const sum = (pick: (totals: Totals) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    sentBytes: sum((part) => part.sentBytes),
    auditBytes: sum((part) => part.auditBytes),
    trainSeconds: toTenths(sum((part) => part.trainSeconds)),
    auditSeconds: toTenths(sum((part) => part.auditSeconds)),
    cpuSeconds: toTenths(sum((part) => part.cpuSeconds)),
  };
}

/** Tenths are finer than two runs agree. */
export const toTenths = (seconds: number) => Math.round(10 * seconds) / 10;
