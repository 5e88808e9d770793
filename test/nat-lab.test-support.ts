/**
 * Two homes behind routers that translate addresses, and a machine on the internet between them, as network namespaces.
 *
 * Both homes have the same private addresses, as homes do. The routers forward nothing that was not asked for.
 */
import { spawnSync } from 'node:child_process';

/** The machine that both routers reach. No test network: libp2p takes those for private. */
export const RELAY_ADDRESS = '45.83.7.1';

const NFT = (wan: string) => `
table ip home {
  chain out { type nat hook postrouting priority 100; oifname "${wan}" masquerade; }
  chain in { type filter hook input priority 0; iifname "${wan}" ct state new drop; }
  chain through { type filter hook forward priority 0; iifname "${wan}" ct state new drop; }
}
`;

export interface NatLab {
  /** Commands to put before others: they run on that machine. */
  readonly relay: string[];
  readonly homes: readonly [string[], string[]];
  remove(): void;
}

/** The lab, or the reason why there is none here: it takes root, `ip` and `nft`. */
export function natLab(): NatLab | string {
  const id = process.pid;
  const name = (part: string) => `folkmoot-${id}-${part}`;
  const parts = ['net', 'r0', 'r1', 'h0', 'h1'];
  const remove = () => {
    for (const part of parts) spawnSync('ip', ['netns', 'delete', name(part)]);
  };
  const run = (command: string, input?: string) => {
    const [file, ...args] = command.split(' ') as [string, ...string[]];
    const { status, error, stderr } = spawnSync(file, args, { encoding: 'utf8', input });
    if (status !== 0) throw new Error(`${command}: ${(error?.message ?? stderr).trim()}`);
  };
  try {
    for (const part of parts) run(`ip netns add ${name(part)}`);
    for (const part of parts) run(`ip -n ${name(part)} link set lo up`);
    const cable = (a: string, aAddress: string, b: string, bAddress: string, label: string) => {
      const [left, right] = [`f${id}${label}l`, `f${id}${label}r`];
      run(`ip link add ${left} netns ${name(a)} type veth peer name ${right} netns ${name(b)}`);
      for (const [part, end, address] of [
        [a, left, aAddress],
        [b, right, bAddress],
      ] as const) {
        run(`ip -n ${name(part)} address add ${address}/24 dev ${end}`);
        run(`ip -n ${name(part)} link set ${end} up`);
      }
      return right;
    };
    for (const i of [0, 1]) {
      const wan = cable('net', `45.83.${7 + i}.1`, `r${i}`, `45.83.${7 + i}.2`, `w${i}`);
      cable(`r${i}`, '192.168.1.1', `h${i}`, '192.168.1.2', `h${i}`);
      run(`ip -n ${name(`r${i}`)} route add default via 45.83.${7 + i}.1`);
      run(`ip -n ${name(`h${i}`)} route add default via 192.168.1.1`);
      run(`ip netns exec ${name(`r${i}`)} nft -f -`, NFT(wan));
    }
    for (const part of ['net', 'r0', 'r1']) run(`ip netns exec ${name(part)} tee /proc/sys/net/ipv4/ip_forward`, '1');
  } catch (error) {
    remove();
    return (error as Error).message;
  }
  const at = (part: string) => ['ip', 'netns', 'exec', name(part)];
  return { relay: at('net'), homes: [at('h0'), at('h1')], remove };
}
