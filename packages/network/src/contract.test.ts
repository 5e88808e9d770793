import { randomBytes } from 'node:crypto';
import { testNetworkContract } from '@folkmoot/sim/network-contract';
import { createNetwork, type Libp2pNetwork } from './libp2p-network.ts';

testNetworkContract('libp2p', async () => {
  const networks: Libp2pNetwork[] = [];
  return {
    async join() {
      const network = await createNetwork({ secret: randomBytes(32), listen: ['/ip4/127.0.0.1/tcp/0'] });
      networks.push(network);
      return network;
    },
    run: (task) => task,
    sleep: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
    async close() {
      await Promise.all(networks.map((network) => network.close()));
    },
  };
});
