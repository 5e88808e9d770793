export { createNetwork, Libp2pNetwork, type NetworkOptions } from './libp2p-network.ts';
export { DEFAULT_LIMITS, type NetworkLimits } from './limits.ts';
export type { Gate } from './places.ts';
