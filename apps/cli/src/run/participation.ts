/** One member on this machine from start to end: what `create` and `join` have in common. */
import { CHEATERS, type CheaterName } from '@folkmoot/adversaries';
import { type Hash, shortId, WorldError } from '@folkmoot/core';
import type { Notice } from '@folkmoot/node';
import { formatInvite } from '@folkmoot/records';
import type { EngineKind } from '@folkmoot/tensor';
import type { ListenOptions, MemberOptions } from '../commands/member-options.ts';
import type { Invocation } from '../invocation.ts';
import { type Report, reportFor } from '../ui/report.ts';
import { RunFollower } from './follow-run.ts';
import { type OpenHome, openHome, rememberRun, Session } from './session.ts';
import { parseCount, parseDuration, summarize, untilDone, untilInterrupted } from './take-part.ts';

/** The run to take part in. */
export interface Entrance {
  readonly run: Hash;
  readonly name: string;
  readonly doors: readonly string[];
  /** A header that the log must contain; the run id where there is none yet. */
  readonly header?: Hash;
  readonly command: string;
}

type Options = MemberOptions & ListenOptions & { readonly engine?: string; readonly cheater?: string };

/** Opens the home, takes part, and closes everything again. `home` where it is open already. */
export async function takePartIn(
  call: Invocation,
  options: Options,
  entrance: Entrance,
  open?: OpenHome,
): Promise<void> {
  const signal = call.stopSignal();
  const port = options.port === undefined ? undefined : parseCount('--port', options.port);
  const home = open ?? (await openHome({ home: call.home, host: options.listen, port }, entrance.run));
  const { header: _header, ...noted } = entrance;
  const note = await rememberRun(call.home, home.network, noted);
  const report = reportFor(call);
  const rounds = options.rounds === undefined ? undefined : parseCount('--rounds', options.rounds);
  let follower: RunFollower | undefined;
  const early: Notice[] = [];
  try {
    const session = await Session.open(home, note, {
      home: call.home,
      name: options.name,
      host: options.listen,
      threads: options.threads === undefined ? undefined : parseCount('--threads', options.threads),
      engine: options.engine as EngineKind | undefined,
      cheater: cheaterNamed(options.cheater),
      evaluates: options.cheater === undefined,
      rounds,
      header: entrance.header,
      watch: (notice) => (follower ? follower.notice(notice) : early.push(notice)),
      signal,
    });
    follower = newFollower(session, report, options, rounds);
    for (const notice of early) follower.notice(notice);
    await stay(call, session, follower, report, { ...options, rounds });
  } finally {
    report.close();
  }
}

function newFollower(
  session: Session,
  report: Report,
  options: Options,
  roundsTarget: number | undefined,
): RunFollower {
  const follower = new RunFollower({
    charter: session.charter,
    state: session.member.log.state,
    report,
    roundsTarget,
    roleOf: (name) => (name === options.name && options.cheater ? options.cheater : 'member'),
    sentBytes: () => session.network.traffic().sentBytes,
    nowMs: () => Date.now(),
  });
  follower.own(session.identity.device.id);
  return follower;
}

async function stay(
  call: Invocation,
  session: Session,
  follower: RunFollower,
  report: Report,
  options: Omit<Options, 'rounds'> & { rounds?: number },
): Promise<void> {
  const signal = call.stopSignal();
  const controlled = obeyParent(session);
  report.event(
    `taking part in ${session.charter.name} (${shortId(session.member.log.state.run)}); others can join with: folkmoot join ${inviteOf(session)}`,
    {
      type: 'started',
      runId: session.member.log.state.run,
      invite: inviteOf(session),
      member: session.identity.account.id,
      device: session.identity.device.id,
      addresses: session.network.addresses(),
    },
  );
  try {
    const forMs = options.for === undefined ? undefined : parseDuration(options.for);
    if (options.rounds !== undefined || forMs !== undefined) {
      await untilDone(session, { rounds: options.rounds, forMs, exit: options.exit === true }, signal);
      if (!options.exit) {
        report.event('done; staying so that others can fetch and replay. Ctrl+C leaves.');
        await untilInterrupted(session, signal);
      }
    } else await untilInterrupted(session, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    controlled();
    const totals = { sentBytes: session.network.traffic().sentBytes, auditBytes: session.member.auditBytes };
    const summary = summarize(session, follower, totals);
    await session.close();
    report.finish({ type: 'summary', ...summary }, [
      `left after round ${summary.rounds}; base ${shortId(summary.baseId)}, hold-out loss ${summary.holdoutLoss ?? '—'}`,
    ]);
  }
}

/** The line with which others join: this member's addresses, and the newest header. */
export function inviteOf({ charter, member, network }: Session): string {
  const { state } = member.log;
  return formatInvite({
    run: state.run,
    name: charter.name,
    addresses: invitable(network.addresses()),
    header: state.lastHeader,
  });
}

/** Loopback last: it opens no door from another machine. */
function invitable(addresses: readonly string[]): string[] {
  const isLocal = (address: string) => address.includes('/127.0.0.1/') || address.includes('/::1/');
  return [...addresses.filter((address) => !isLocal(address)), ...addresses.filter(isLocal)].slice(0, 16);
}

/** Where `up` started this process, it hears when to stop training and tells what it has sent. */
function obeyParent(session: Session): () => void {
  if (!process.send) return () => {};
  const tell = () =>
    process.send?.({ sentBytes: session.network.traffic().sentBytes, auditBytes: session.member.auditBytes });
  const timer = setInterval(tell, 1000);
  const onMessage = (message: unknown) => {
    if (message === 'pause') session.member.pause();
    if (message === 'report') tell();
  };
  process.on('message', onMessage);
  return () => {
    clearInterval(timer);
    process.off('message', onMessage);
    if (process.connected) process.disconnect();
  };
}

function cheaterNamed(name: string | undefined): CheaterName | undefined {
  if (name === undefined || name in CHEATERS) return name as CheaterName | undefined;
  throw new WorldError('no-such-cheater', `There is no cheater "${name}".`, {
    help: `There are: ${Object.keys(CHEATERS).join(', ')}.`,
  });
}
