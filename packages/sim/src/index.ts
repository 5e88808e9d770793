export * from './sim-clock.ts';
export * from './sim-disk.ts';
export * from './sim-life.ts';
export { type Conditions, GOOD_CONDITIONS } from './sim-link.ts';
export * from './sim-machine.ts';
export { SimNetwork } from './sim-network.ts';
export * from './sim-store.ts';
