/** One member on this machine from start to end: what `create` and `join` have in common. */
import { type AdversaryName, CHEATER_NAMES, isCheaterName } from '@folkmoot/adversaries';
import { type Hash, shortId, WorldError } from '@folkmoot/core';
import { isDirectFromAfar, type ReachOptions } from '@folkmoot/network';
import type { Notice, Vouched } from '@folkmoot/node';
import { formatInvite, type Invited } from '@folkmoot/records';
import type { EngineKind } from '@folkmoot/tensor';
import type { ListenOptions, MemberOptions } from '../commands/member-options.ts';
import type { Invocation } from '../invocation.ts';
import { type Report, reportFor } from '../ui/report.ts';
import { parseHost, parsePort } from './door.ts';
import { EnteringAloud } from './entering-aloud.ts';
import { RunFollower } from './follow-run.ts';
import { loopbackLast } from './loopback-last.ts';
import { type OpenHome, openHome, reachOf, Session } from './session.ts';
import {
  parseCount,
  parseDuration,
  parseSize,
  type StopRules,
  summarize,
  untilDone,
  untilInterrupted,
} from './take-part.ts';

/** The run to take part in. */
export interface Entrance {
  readonly run: Hash;
  readonly name: string;
  readonly doors: readonly string[];
  /** A header that the log must contain; the run id where there is none yet. */
  readonly header?: Hash;
  readonly ticket?: Invited;
  readonly mirrors?: readonly string[];
  readonly vouched?: Vouched;
  readonly command: string;
}

type Options = MemberOptions &
  ListenOptions & { readonly engine?: string; readonly cheater?: string; readonly evaluate?: boolean };

/** What a member was asked to do. */
export interface Part extends StopRules {
  readonly host: string;
  readonly port?: number;
  readonly announce?: readonly string[];
  readonly reach?: ReachOptions;
  readonly mirrors?: readonly string[];
  readonly httpPort?: number;
  readonly name?: string;
  readonly threads?: number;
  readonly memoryBytes?: number;
  readonly maxStoreBytes?: number;
  readonly engine?: EngineKind;
  readonly cheater?: AdversaryName;
  /** False where nobody reads here how good the bases are. */
  readonly evaluate: boolean;
}

/** Reads the options, so that a wrong one is told before anything is opened. Throws `bad-number`, `bad-duration`, … */
export function partOf(options: Options): Part {
  const count = (option: string, text: string | undefined) =>
    text === undefined ? undefined : parseCount(option, text);
  const port = (option: string, text: string | undefined) => (text === undefined ? undefined : parsePort(option, text));
  return {
    host: parseHost(options.listen),
    port: port('--port', options.port),
    announce: options.announce,
    reach: reachOf(options),
    mirrors: options.mirror,
    httpPort: port('--http', options.http),
    name: options.name,
    threads: count('--threads', options.threads),
    memoryBytes: options.memory === undefined ? undefined : parseSize(options.memory),
    maxStoreBytes: options.storeLimit === undefined ? undefined : parseSize(options.storeLimit),
    engine: options.engine as EngineKind | undefined,
    cheater: cheaterNamed(options.cheater),
    rounds: count('--rounds', options.rounds),
    forMs: options.for === undefined ? undefined : parseDuration(options.for),
    exit: options.exit === true,
    evaluate: options.evaluate !== false,
  };
}

/** Opens the home, takes part, and closes everything again. `open` where the home is open already. */
export async function takePartIn(call: Invocation, part: Part, entrance: Entrance, open?: OpenHome): Promise<void> {
  const signal = call.stopSignal();
  const letGo = endWithParent();
  const report = reportFor(call);
  const { header, ticket, vouched, mirrors = [], ...note } = entrance;
  let follower: RunFollower | undefined;
  const early: Notice[] = [];
  const entering = new EnteringAloud(call.note);
  try {
    const home = open ?? (await openHome({ ...part, home: call.home }, entrance.run));
    const session = await Session.open(home, note, {
      ...part,
      home: call.home,
      evaluates: isEvaluating(part),
      header,
      ticket,
      mirrors: [...mirrors, ...(part.mirrors ?? [])],
      vouched,
      watch: (notice) => {
        entering.notice(notice);
        if (follower) follower.notice(notice);
        else early.push(notice);
      },
      signal,
    });
    entering.close();
    follower = newFollower(session, report, part);
    for (const notice of early) follower.notice(notice);
    await stay(call, session, follower, report, part);
  } finally {
    entering.close();
    report.close();
    letGo();
  }
}

function newFollower(session: Session, report: Report, part: Part): RunFollower {
  const { name, cheater, rounds } = part;
  const follower = new RunFollower({
    charter: session.charter,
    state: session.member.log.state,
    report,
    roundsTarget: rounds,
    roleOf: (member) => (cheater !== undefined && member === name ? cheater : 'member'),
    evaluates: isEvaluating(part),
    totals: () => session.totals(),
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
  part: Part,
): Promise<void> {
  const signal = call.stopSignal();
  const controlled = obeyParent(session);
  const how = session.charter.admission
    ? 'invite others with: folkmoot invite --limit 5 --expires 24h'
    : `others can join with: folkmoot join ${inviteOf(session)}`;
  report.event(`taking part in ${session.charter.name} (${shortId(session.member.log.state.run)}); ${how}`, {
    type: 'started',
    runId: session.member.log.state.run,
    invite: inviteOf(session),
    member: session.member.log.state.members[session.identity.device.id]!.account,
    device: session.identity.device.id,
    addresses: session.network.addresses(),
  });
  if (part.reach?.upnp && !session.network.addresses().some(isDirectFromAfar))
    report.event('the router gave no port; "folkmoot doctor --network --upnp" says what reaches this machine', {
      type: 'no-port',
    });
  try {
    if (part.rounds !== undefined || part.forMs !== undefined) {
      await untilDone(session, part, signal);
      if (!part.exit) {
        report.event('done; staying so that others can fetch and replay. Ctrl+C leaves.');
        await untilInterrupted(session, signal);
      }
    } else await untilInterrupted(session, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    controlled();
    const summary = summarize(session, follower, session.totals());
    await session.close();
    report.finish({ type: 'summary', ...summary }, [
      `left after round ${summary.rounds}; base ${shortId(summary.baseId)}, hold-out loss ${summary.holdoutLoss ?? '—'}`,
    ]);
  }
}

/** The line with which others join: this member's addresses, and the newest header. */
export function inviteOf(session: Session): string {
  const { charter, member, network } = session;
  const { state } = member.log;
  return formatInvite({
    run: state.run,
    name: charter.name,
    addresses: loopbackLast(network.addresses()).slice(0, 16),
    header: state.lastHeader,
    ...mirrorsAt(session),
  });
}

/** Where this member serves artifacts over HTTP: at the addresses where it is reached directly. */
function mirrorsAt({ http, network }: Session): { mirrors?: string[] } {
  if (!http) return {};
  const hosts = loopbackLast(network.addresses()).flatMap((address) => {
    const [, family, host] = /^\/(ip[46])\/([^/]+)\/tcp\/\d+(?!.*p2p-circuit)/.exec(address) ?? [];
    return host === undefined ? [] : [family === 'ip6' ? `[${host}]` : host];
  });
  return hosts.length === 0
    ? {}
    : { mirrors: [...new Set(hosts)].slice(0, 4).map((host) => `http://${host}:${http.port}`) };
}

/** Where `up` started this process, it hears when to stop training and tells what it has sent and spent. */
function obeyParent(session: Session): () => void {
  if (!process.send) return () => {};
  const tell = () => process.send?.(session.totals());
  const timer = setInterval(tell, 1000);
  const onMessage = (message: unknown) => {
    if (message === 'pause') session.member.pause();
    if (message === 'report') tell();
  };
  process.on('message', onMessage);
  return () => {
    clearInterval(timer);
    process.off('message', onMessage);
  };
}

/** Where `up` started this process: a command that was killed must not leave members behind, which would hold their homes. */
function endWithParent(): () => void {
  if (!process.send) return () => {};
  const leave = () => process.kill(process.pid, 'SIGTERM');
  process.on('disconnect', leave);
  return () => {
    process.off('disconnect', leave);
    if (process.connected) process.disconnect();
  };
}

const isEvaluating = ({ cheater, evaluate }: Part) => evaluate && cheater === undefined;

function cheaterNamed(name: string | undefined): AdversaryName | undefined {
  if (name === undefined || isCheaterName(name)) return name;
  throw new WorldError('no-such-cheater', `There is no cheater "${name}".`, {
    help: `There are: ${CHEATER_NAMES.join(', ')}.`,
  });
}
