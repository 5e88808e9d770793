/**
 * Two homes behind routers that translate addresses, and a machine on the internet between them, as network namespaces.
 *
 * Both homes have the same private addresses, as homes do. The routers forward nothing that was not asked for.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The machine that both routers reach. No test network: libp2p takes those for private. */
export const RELAY_ADDRESS = '45.83.7.1';

const NFT = (wan: string) => `
table ip home {
  chain out { type nat hook postrouting priority 100; oifname "${wan}" masquerade; }
  chain in { type filter hook input priority 0; iifname "${wan}" ct state new drop; }
  chain through { type filter hook forward priority 0; iifname "${wan}" ct state new drop; }
}
`;

/** A router that forwards a port too if a machine at home asks it (UPnP): chains as miniupnpd wants to find them. */
const NFT_UPNP = (wan: string) => `
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain before { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain out { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "${wan}" masquerade; }
  chain in { type filter hook input priority 0; iifname "${wan}" ct state new drop; }
  chain through { type filter hook forward priority 0; jump miniupnpd; iifname "${wan}" ct state new drop; }
}
`;
const MINIUPNPD = (wan: string, lan: string, leases: string) => `
ext_ifname=${wan}
listening_ip=${lan}
enable_upnp=yes
secure_mode=yes
uuid=00000000-0000-4000-8000-000000000001
lease_file=${leases}
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;

export interface NatLab {
  /** Commands to put before others: they run on that machine. */
  readonly relay: string[];
  readonly homes: readonly [string[], string[]];
  remove(): void;
}

/** The address of the first home's router, as the internet sees it. */
export const ROUTER_ADDRESS = '45.83.7.2';

/**
 * The lab, or the reason why there is none here: it takes root, `ip` and `nft`. With `upnp` the first router listens to UPnP,
 * which takes `miniupnpd`.
 */
export function natLab({ upnp = false } = {}): NatLab | string {
  const id = process.pid;
  const name = (part: string) => `folkmoot-${id}-${part}`;
  const parts = ['net', 'r0', 'r1', 'h0', 'h1'];
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot-nat-'));
  let stopUpnp = () => {};
  const remove = () => {
    stopUpnp();
    rmSync(folder, { recursive: true });
    for (const part of parts) spawnSync('ip', ['netns', 'delete', name(part)]);
  };
  const run = (command: string, input?: string) => {
    const [file, ...args] = command.split(' ') as [string, ...string[]];
    const { status, error, stderr } = spawnSync(file, args, { encoding: 'utf8', input });
    if (status !== 0) throw new Error(`${command}: ${(error?.message ?? stderr).trim()}`);
  };
  const startUpnp = (wan: string, lan: string) => {
    const file = join(folder, 'miniupnpd.conf');
    writeFileSync(file, MINIUPNPD(wan, lan, join(folder, 'leases')));
    run('which miniupnpd');
    const args = ['netns', 'exec', name('r0'), 'miniupnpd', '-d', '-f', file, '-P', join(folder, 'pid')];
    const daemon = spawn('ip', args, { stdio: 'ignore' });
    return () => void daemon.kill();
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
      const lan = cable(`r${i}`, '192.168.1.1', `h${i}`, '192.168.1.2', `h${i}`).replace(/r$/, 'l');
      run(`ip -n ${name(`r${i}`)} route add default via 45.83.${7 + i}.1`);
      run(`ip -n ${name(`h${i}`)} route add default via 192.168.1.1`);
      const asked = upnp && i === 0;
      run(`ip netns exec ${name(`r${i}`)} nft -f -`, (asked ? NFT_UPNP : NFT)(wan));
      if (asked) stopUpnp = startUpnp(wan, lan);
    }
    for (const part of ['net', 'r0', 'r1']) run(`ip netns exec ${name(part)} tee /proc/sys/net/ipv4/ip_forward`, '1');
  } catch (error) {
    remove();
    return (error as Error).message;
  }
  const at = (part: string) => ['ip', 'netns', 'exec', name(part)];
  return { relay: at('net'), homes: [at('h0'), at('h1')], remove };
}
