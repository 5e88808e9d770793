/** What runs in Node only. */
export * from './engines/create-engine.node.ts';
export * from './engines/start-engine.node.ts';
