/** What `doctor --network` finds, and what of it wants mending. */
import type { Problem } from './examination.ts';

/** An address at which a member of the run was said to be. */
export interface DoorFinding {
  readonly address: string;
  /** `direct` or `relayed` where it opened. */
  readonly way?: 'direct' | 'relayed';
  /** To connect, keys proven. */
  readonly connectMs?: number;
  readonly reason?: string;
  /** How far the clock there is ahead of this one, as far as the time of travel lets it be known. */
  readonly clockAheadMs?: number;
}

export interface NetworkFindings {
  readonly listening: { readonly port: number; readonly addresses: readonly string[]; readonly note?: string };
  readonly ipv4: 'public' | 'private' | 'none';
  readonly ipv6: 'public' | 'none';
  /** The place from which others see this machine; absent where nobody could be asked. */
  readonly seenFrom?: string;
  /** Whether others could dial back; absent where nobody could be asked. */
  readonly reachable?: boolean;
  readonly reachableAt: readonly string[];
  /** What is between: nothing, a router that keeps port numbers, one that does not, or one of which that is not known. */
  readonly router: 'none' | 'keeps-ports' | 'changes-ports' | 'present' | 'unknown';
  /** Addresses through relays that keep a place for this machine. */
  readonly relayed: readonly string[];
  readonly upnp: 'not-asked' | 'works' | 'no-answer';
  readonly doors: readonly DoorFinding[];
  readonly problems: readonly Problem[];
  readonly canMeet: boolean;
}

type Facts = Omit<NetworkFindings, 'problems' | 'canMeet'>;

/** More than this, and phases that wait for a time seem early or late; tickets expire at another moment. */
const MAX_SKEW_MS = 5000;

export function judged(facts: Facts): NetworkFindings {
  const problems = [...doorProblems(facts), ...reachProblems(facts), ...clockProblems(facts)];
  return { ...facts, problems, canMeet: !problems.some(({ fatal }) => fatal) };
}

function doorProblems({ doors }: Facts): Problem[] {
  if (doors.length === 0) {
    const problem = 'No run is known here, so nobody could be asked.';
    return [{ problem, help: 'Give an invite: folkmoot doctor --network --invite folkmoot1-…', fatal: false }];
  }
  if (doors.some(({ way }) => way === 'direct')) return [];
  if (doors.some(({ way }) => way === 'relayed')) {
    const problem = 'Members are reached through a relay only, which carries no artifacts.';
    const help = 'Forward a port on either side, ask for an invite with a mirror, or for a relay with a higher limit.';
    return [{ problem, help, fatal: false }];
  }
  const problem = 'No door of the run opens.';
  const help = 'Check that a member runs and that outgoing TCP is not blocked here; ask for a newer invite.';
  return [{ problem, help, fatal: true }];
}

function reachProblems({ reachable, relayed, router, listening, upnp }: Facts): Problem[] {
  if (reachable !== false) return [];
  const forward =
    upnp === 'works'
      ? 'Start members with --upnp: the router gives a port.'
      : `Forward TCP port ${listening.port} on the router to this machine and start members with --port ${listening.port} --announce /ip4/ADDRESS/tcp/${listening.port}, or try --upnp.`;
  if (relayed.length === 0) {
    const problem = 'Others cannot reach this machine, and no relay keeps a place for it.';
    return [{ problem, help: `${forward} Or use a relay: --relay, see "folkmoot relay --help".`, fatal: false }];
  }
  if (router !== 'changes-ports') return [];
  const problem = 'The router changes port numbers: direct connections with members behind other routers will fail.';
  return [
    {
      problem,
      help: `${forward} Until then artifacts for this machine need a member with a public address, or a mirror.`,
      fatal: false,
    },
  ];
}

function clockProblems({ doors }: Facts): Problem[] {
  const ahead = median(doors.flatMap(({ clockAheadMs }) => (clockAheadMs === undefined ? [] : [clockAheadMs])));
  if (ahead === undefined || Math.abs(ahead) <= MAX_SKEW_MS) return [];
  const problem = `This machine’s clock is ${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'behind' : 'ahead of'} the others’.`;
  return [{ problem, help: 'Let the system set its clock (timedatectl set-ntp true).', fatal: false }];
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
