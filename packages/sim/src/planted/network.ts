/** Bugs in how members reach and tell each other. */
import type { PlantedBug } from './bug.ts';

const bug = (
  name: string,
  about: string,
  file: string,
  find: string,
  put: string,
  by: PlantedBug['by'] = 'worlds',
): PlantedBug => ({ name, area: 'network', about, file: `packages/${file}`, find, put, by });

const CONTRACT = 'packages/network/src/contract.test.ts';

export const NETWORK_BUGS: readonly PlantedBug[] = [
  bug(
    'told-before-kept',
    'the log is served beyond what is on disk',
    'node/src/replication.ts',
    '      if (next <= log.durable) {\n        yield log.bytesAt(next);',
    '      if (next < log.length) {\n        yield log.bytesAt(next);',
    'packages/node/src/replication.test.ts',
  ),
  bug(
    'a-stale-log-is-a-lie',
    'whoever still holds a log that was given up is banned for what it tells',
    'node/src/replication.ts',
    ' || (await branches.isElsewhere(peer)))) return;',
    ')) return;',
  ),
  bug(
    'everything-is-appended',
    'the sequencer appends what should be refused',
    'node/src/sequencer.ts',
    'const reason = this.#forked(record) ?? check(this.#log.state, record);',
    'const reason = this.#forked(record) ?? (record.id === undefined ? check(this.#log.state, record) : null);',
  ),
  bug(
    'time-goes-back',
    'the log’s time follows a clock that was set back',
    'node/src/sequencer.ts',
    'atMs: Math.max(this.#nowMs(), atMs), term };',
    'atMs: this.#nowMs(), term };',
  ),
  bug(
    'own-numbers',
    'after a restart a device counts its records from one again',
    'node/src/voice.ts',
    'this.#seq = Math.max(this.#seq, members[this.#key.id]?.seq ?? 0) + 1;',
    'this.#seq = this.#seq + 1;',
  ),
  bug(
    'lost-peers-stay-lost',
    'a connection that broke is not made again',
    'node/src/peers.ts',
    'await this.#dialMissing(signal);',
    'if (this.#greeted.size < 0) await this.#dialMissing(signal);',
  ),
  bug(
    'tried-once',
    'a duty that failed is not tried again',
    'node/src/task-list.ts',
    'if (!this.#stopped) this.#onIdle();',
    '',
    'packages/node/src/task-list.test.ts',
  ),
  bug(
    'followed-once',
    'a member does not follow the log again after a break',
    'node/src/replication.ts',
    'for (let attempt = 0; !signal.aborted; attempt++) {\n    const peer',
    'for (let attempt = 0; attempt < 3; attempt++) {\n    const peer',
  ),
  bug(
    'from-the-wrong-place',
    'a follower asks for an entry too many',
    'node/src/replication.ts',
    'from: log.length } as Canonical',
    'from: Math.max(0, log.length - 1) } as Canonical',
  ),
  bug(
    'only-the-trainer-is-asked',
    'bytes are asked of one peer only',
    'node/src/artifacts.ts',
    'const peers = new Set([...likely.filter((peer) => connected.includes(peer)), ...rest]);',
    'const peers = new Set([...likely.filter((peer) => connected.includes(peer)), ...rest].slice(0, 1));',
    'packages/sim/src/lying-peers.test.ts',
  ),
  bug(
    'adopted-unseen',
    'a member does not compute the next base when a round ends',
    'node/src/member.ts',
    "for (const event of events) if (event.kind === 'finalized' && this.#live) this.#upkeep.adopt(event);",
    "for (const event of events) if (event.kind === 'finalized' && !this.#live) this.#upkeep.adopt(event);",
  ),
  bug(
    'messages-of-any-size',
    'a message larger than was agreed is taken',
    'network/src/frames.ts',
    "if (length > maxBytes) return { kind: 'oversized', sizeBytes: length };",
    "if (length < 0) return { kind: 'oversized', sizeBytes: length };",
    CONTRACT,
  ),
  bug(
    'one-peer-takes-all',
    'one peer may ask for any number of things at once',
    'network/src/serving.ts',
    'if (running >= this.#maxConcurrentPerPeer || !this.#admits(peer)) return',
    'if (running >= 10_000) return',
    CONTRACT,
  ),
  bug(
    'broken-off-is-whole',
    'an answer that failed ends like one that is whole',
    'network/src/serving.ts',
    "return hangUp.signal.aborted ? undefined : 'failed';",
    "return hangUp.signal.aborted ? undefined : 'end';",
    CONTRACT,
  ),
];
