/** A member that runs until it has done what was asked: so many rounds, so long, or until Ctrl+C. */
import { WorldError } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import type { RunFollower } from './follow-run.ts';
import type { Session } from './session.ts';
import type { Totals } from './totals.ts';

export interface StopRules {
  /** Finished rounds of the run. */
  readonly rounds?: number;
  readonly forMs?: number;
  /** Ends when that is reached and no audit is outstanding; otherwise the member stays. */
  readonly exit: boolean;
}

/** Audits end by their own deadlines; this is only for a sequencer that is gone. */
const LONGEST_WAIT_MS = 20 * 60_000;

/** Resolves when the rounds or the time are reached and their audits are settled. Throws what ends the member, or `interrupted`. */
export async function untilDone(
  session: Session,
  rules: StopRules,
  signal: AbortSignal,
  onPause: () => void = () => {},
): Promise<void> {
  const { member } = session;
  const { state } = member.log;
  const reached = () => (rules.rounds !== undefined && state.finalized >= rules.rounds) || late();
  const startedMs = Date.now();
  const late = () => rules.forMs !== undefined && Date.now() - startedMs >= rules.forMs;
  await waitFor(session, reached, signal);
  member.pause();
  onPause();
  const giveUpMs = Date.now() + LONGEST_WAIT_MS;
  // What is not on disk yet has not been told to anybody, this command's own figures among them.
  const settled = () => Object.keys(state.audits).length === 0 && member.log.durable >= state.head.index;
  await waitFor(session, () => settled() || Date.now() > giveUpMs, signal);
}

/** Stays until `signal` aborts. */
export async function untilInterrupted(session: Session, signal: AbortSignal): Promise<void> {
  await waitFor(session, () => false, signal).catch((error) => {
    if (!signal.aborted) throw error;
  });
}

async function waitFor({ member }: Session, isReached: () => boolean, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = () => {};
  const reached = new Promise<void>((resolve, reject) => {
    const look = () => {
      if (isReached()) resolve();
    };
    const interrupt = () => reject(signal.reason);
    const timer = setInterval(look, 250);
    const unwatch = member.watch(look);
    signal.addEventListener('abort', interrupt, { once: true });
    stop = () => {
      clearInterval(timer);
      unwatch();
      signal.removeEventListener('abort', interrupt);
    };
  });
  try {
    await Promise.race([reached, member.failed]);
  } finally {
    // A timer that is left would keep the process alive after a failure.
    stop();
  }
}

/** What `--json` prints last. */
export interface RunSummary {
  readonly runId: string;
  readonly rounds: number;
  readonly lossFirst: number | null;
  readonly lossLast: number | null;
  /** Nats per token on the hold-out, evaluated by this node. */
  readonly holdoutLoss: number | null;
  readonly tokensPerSecond: number;
  /** Bytes that the members on this machine have sent. */
  readonly wireBytes: number;
  readonly wireBytesPerUpdate: number;
  /** Artifact bytes fetched for audits by the members on this machine. */
  readonly auditBytes: number;
  /** For how long the engines of the members on this machine trained and re-executed. */
  readonly trainSeconds: number;
  readonly auditSeconds: number;
  readonly parameters: number;
  readonly updatesAccepted: number;
  readonly updatesRefused: readonly { round: number; member: string; device: string; reason: string }[];
  /** Earned, whether unlocked or not, by account. */
  readonly credits: Readonly<Record<string, number>>;
  readonly baseId: string;
}

export function summarize(session: Session, follower: RunFollower, totals: Totals): RunSummary {
  const { state } = session.member.log;
  const round = (loss: number | undefined) => (loss === undefined ? null : Number(loss.toFixed(4)));
  return {
    runId: state.run,
    rounds: state.finalized,
    lossFirst: round(follower.lossFirst),
    lossLast: round(follower.trainLoss.at(-1)),
    holdoutLoss: round(follower.holdoutLoss.at(-1)),
    tokensPerSecond: Math.round(follower.tokensPerSecond),
    wireBytes: totals.sentBytes,
    wireBytesPerUpdate: follower.bytesPerUpdate,
    auditBytes: totals.auditBytes,
    trainSeconds: totals.trainSeconds,
    auditSeconds: totals.auditSeconds,
    parameters: session.charter.parameters,
    updatesAccepted: follower.accepted,
    updatesRefused: follower.refused.map(({ round, member, device, reason }) => ({ round, member, device, reason })),
    credits: Object.fromEntries(
      Object.values(state.members).map(({ account }) => [account, balanceOf(state.ledger, account).earned]),
    ),
    baseId: state.base,
  };
}

/** `90s`, `5m`, `2h`, `7d`, or seconds without a unit. Throws `bad-duration`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? 's']!;
  const durationMs = Number(match?.[1]) * unit;
  if (match && durationMs > 0) return durationMs;
  throw new WorldError('bad-duration', `"${text}" is not a duration.`, {
    help: 'Give a number with a unit, such as 90s, 5m, 2h or 7d.',
  });
}

/** `20GB`, `512MiB`, or bytes without a unit. Throws `bad-size`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?$/i.exec(text);
  const power = match?.[2] === undefined ? 0 : 1 + 'kmgt'.indexOf(match[2].toLowerCase());
  const sizeBytes = Math.floor(Number(match?.[1]) * (match?.[3] ? 1024 : 1000) ** power);
  if (match && sizeBytes > 0) return sizeBytes;
  throw new WorldError('bad-size', `"${text}" is not a size.`, {
    help: 'Give a number with a unit, such as 20GB or 512MiB.',
  });
}

/** A whole number of at least `least`. Throws `bad-number`. */
export function parseCount(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new WorldError('bad-number', `${option} takes a whole number of at least ${least}, not "${text}".`, {
    help: 'Give a number, or leave the option out.',
  });
}
