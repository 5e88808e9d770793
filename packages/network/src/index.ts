export { type ArtifactServer, type ArtifactServerOptions, serveArtifacts } from './artifact-server.ts';
export { parseContentRange, parseRange } from './byte-range.ts';
export { FrameReader } from './frames.ts';
export { httpMirror } from './http-mirror.ts';
export { createNetwork, Libp2pNetwork, type NetworkOptions } from './libp2p-network.ts';
export { DEFAULT_LIMITS, type NetworkLimits } from './limits.ts';
export type { Gate } from './places.ts';
export { endpointOf, probe } from './probe.ts';
export { BULK_RELAY_BYTES, isDirectFromAfar, RELAY_LIMITS, type ReachOptions, type RelayLimits } from './reach.ts';
