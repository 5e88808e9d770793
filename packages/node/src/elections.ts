/**
 * Elections: electors that hear nothing from the sequencer, or have caught it lying, vote for the next term; whoever the
 * log's rule names then goes on with the log.
 *
 * Votes travel from member to member until everybody has them: they are few, at most one an elector. The rules that others
 * check are in `protocol/succession.ts`; here is only when to vote and where to start from.
 */
import {
  type Canonical,
  type Clock,
  canonicalBytes,
  type DeviceId,
  type DeviceKey,
  type Hash,
  type Network,
} from '@folkmoot/core';
import { highestLock, holdsHeader, objectionToSuccession, type State, successorOf } from '@folkmoot/protocol';
import {
  type Certificate,
  certificateSchema,
  type Entry,
  headerId,
  MAX_ELECTORS,
  quorumOf,
  type RecordOf,
  signEntry,
  type VerifiedRecord,
  verifyCertificate,
  verifyRecord,
} from '@folkmoot/records';
import type { Branches } from './branches.ts';
import { askJson, requestJson } from './exchange.ts';
import type { Log } from './log.ts';
import type { Promises } from './promises.ts';
import type { Voice } from './voice.ts';

type Vote = RecordOf<'vote'>;

/** A vote and the signatures that its lock rests on. */
interface Cast {
  readonly vote: VerifiedRecord<Vote>;
  readonly lock: Certificate | null;
}

/** Terms that may be skipped at most in one round. */
const MAX_SKIPPED = 1000;
/** Waiting for a candidate doubles so often. */
const MAX_DOUBLINGS = 4;
const LOOKS_IN_SILENCE = 10;

export interface ElectionParts {
  readonly network: Network;
  readonly log: Log;
  readonly clock: Clock;
  readonly key: DeviceKey;
  readonly voice: Voice;
  readonly promises: Promises;
  readonly branches: Branches;
}

export class Elections {
  readonly #parts: ElectionParts;
  /** By elector, the vote for the latest term; about the round after `#after`. */
  readonly #casts = new Map<DeviceId, Cast>();
  readonly #refused = new Set<Hash>();
  #after: Hash = '';
  /** Grows with every vote that is new here; what each peer was told at last. */
  #version = 0;
  readonly #told = new Map<DeviceId, number>();
  /** When the log grew last, and when a quorum was first seen that asks for the present vote or more. */
  #heardMs: number;
  #quorumMs: number | undefined;
  #skips = 0;
  #isCaught = false;
  /** The header after which this device has reason to complain. */
  #complains: Hash | undefined;
  #term: number;

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#heardMs = parts.clock.now();
    this.#term = parts.log.state.term;
  }

  /** The log has grown. */
  heard(): void {
    this.#heardMs = this.#parts.clock.now();
  }

  /** The present sequencer is proven to be at fault. */
  depose(): void {
    this.#isCaught = true;
  }

  /** It leaves out what it was given. Where most have not seen that, the matter ends with the round. */
  complain(): void {
    this.#complains = this.#parts.log.state.lastHeader;
  }

  /** Takes others' votes, and gives those that are here. */
  serve(): void {
    const limits = { maxRequestBytes: 96 * 1024, maxConcurrentPerPeer: 2 };
    const answer = (request: Uint8Array) => {
      this.#hear(requestJson(request));
      return canonicalBytes(this.#all());
    };
    this.#parts.network.serve(
      'votes',
      async function* (_peer, request) {
        yield answer(request);
      },
      limits,
    );
  }

  /** Looks after the sequencer until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#parts;
    const lookMs = Math.max(200, Math.floor(log.state.charter.succession.silenceMs / LOOKS_IN_SILENCE));
    this.heard();
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal).catch(() => {});
      if (signal.aborted) return;
      this.#tidy();
      const term = this.#wanted();
      if (term !== undefined) await this.#vote(term);
      await this.#exchange();
      await this.#tryToLead(signal);
    }
  }

  /** The term for which this device should vote now. */
  #wanted(): number | undefined {
    const { log, key, promises, clock } = this.#parts;
    const { state } = log;
    const { electors, charter } = state;
    if (!electors.includes(key.id) || promises.isAbstaining(state)) return undefined;
    const quorum = quorumOf(electors.length);
    const mine = Math.max(promises.term(state), state.term);
    const terms = [...this.#casts.values()].map(({ vote }) => vote.body.term).sort((a, b) => b - a);
    // So many ask for a later term that the present one has no quorum left, or one of them is honest.
    const joined = terms[electors.length - quorum];
    if (joined !== undefined && joined > mine) return joined;
    if (!this.#casts.has(key.id)) return this.#isSilent() ? mine + 1 : undefined;
    const asking = terms.filter((term) => term >= mine).length;
    if (asking < quorum) return undefined;
    this.#quorumMs ??= clock.now();
    const patienceMs = charter.succession.silenceMs * 2 ** Math.min(this.#skips, MAX_DOUBLINGS);
    if (clock.now() - this.#quorumMs < patienceMs || mine - state.term > MAX_SKIPPED) return undefined;
    this.#skips++;
    this.#quorumMs = undefined;
    return mine + 1;
  }

  /** Nothing new for too long; a proof against the sequencer; records that it leaves out; or a round whose end does not get its signatures. */
  #isSilent(): boolean {
    const { log, clock } = this.#parts;
    const { charter, round, head } = log.state;
    const isStuck =
      (round.phase === 'finalize' || round.phase === 'seal') && head.atMs - round.phaseAtMs > charter.timing.finalizeMs;
    const isLeftOut = this.#complains === log.state.lastHeader;
    return this.#isCaught || isLeftOut || isStuck || clock.now() - this.#heardMs > charter.succession.silenceMs;
  }

  async #vote(term: number): Promise<void> {
    const { log, voice, promises } = this.#parts;
    await log.flushed();
    const { state } = log;
    const { round, base, lastHeader, term: tail } = state;
    const certificate = promises.lock(state);
    const lock = certificate && { term: certificate.term, header: headerId(certificate.header) };
    const place = { round: round.number, base, term };
    const vote = voice.sign('vote', { header: lastHeader, tail, lock }, place) as VerifiedRecord<Vote>;
    this.#quorumMs = undefined;
    await promises.cast(state, { body: vote.body, signature: vote.signature }, term);
    if (log.state.lastHeader === lastHeader) this.#file({ vote, lock: certificate });
  }

  /** Forgets votes of rounds that are over and of terms that have begun; recalls this device's own after a restart. */
  #tidy(): void {
    const { log, promises } = this.#parts;
    const { state } = log;
    if (this.#after !== state.lastHeader) {
      this.#after = state.lastHeader;
      this.#casts.clear();
      this.#refused.clear();
      this.#skips = 0;
      const kept = promises.vote(state);
      const vote = kept && verifyRecord(kept);
      if (vote?.ok) this.#file({ vote: vote.value as VerifiedRecord<Vote>, lock: promises.lock(state) });
    }
    for (const [device, { vote }] of this.#casts) if (vote.body.term <= state.term) this.#casts.delete(device);
    if (this.#term === state.term) return;
    this.#term = state.term;
    this.#isCaught = false;
    this.#complains = undefined;
    this.#quorumMs = undefined;
    this.heard();
  }

  #file(cast: Cast): void {
    const { body } = cast.vote;
    const former = this.#casts.get(body.device);
    if (former && former.vote.body.term >= body.term) return;
    this.#casts.set(body.device, cast);
    this.#version++;
  }

  #all(): Canonical {
    const casts = [...this.#casts.values()];
    const locks = new Map(casts.flatMap(({ lock }) => (lock ? [[nameOf(lock), lock] as const] : [])));
    const votes = casts.map(({ vote: { body, signature } }) => ({ body, signature }));
    return { run: this.#parts.log.state.run, votes, locks: [...locks.values()] } as unknown as Canonical;
  }

  async #exchange(): Promise<void> {
    if (this.#casts.size === 0) return;
    const { network } = this.#parts;
    const ask = async (peer: DeviceId) => {
      const version = this.#version;
      if (this.#told.get(peer) === version) return;
      this.#hear(await askJson(network, peer, 'votes', this.#all()));
      this.#told.set(peer, version);
    };
    const peers = network.peers();
    for (const peer of this.#told.keys()) if (!peers.includes(peer)) this.#told.delete(peer);
    await Promise.all(peers.map((peer) => ask(peer).catch(() => {})));
  }

  /** Files the votes in a message that are about the round at hand; bounded, and each signature is checked once. */
  #hear(message: unknown): void {
    const { run, votes, locks } = (message ?? {}) as { run?: unknown; votes?: unknown; locks?: unknown };
    const { state } = this.#parts.log;
    if (run !== state.run || !Array.isArray(votes)) return;
    this.#tidy();
    const certificates = Array.isArray(locks) ? locks.slice(0, MAX_ELECTORS) : [];
    for (const vote of votes.slice(0, MAX_ELECTORS)) this.#hearVote(state, vote, certificates);
  }

  #hearVote(state: State, value: unknown, locks: readonly unknown[]): void {
    const { body } = (value ?? {}) as { body?: Partial<Vote> };
    const known = body?.device === undefined ? undefined : this.#casts.get(body.device)?.vote.body;
    if (!body?.device || !state.electors.includes(body.device) || (known && known.term >= (body.term ?? 0))) return;
    if (body.header !== state.lastHeader || !(Number(body.term) > state.term)) return;
    if (Number(body.term) > state.term + MAX_SKIPPED + MAX_ELECTORS) return;
    const record = verifyRecord(value);
    if (!record.ok || record.value.body.kind !== 'vote' || record.value.body.run !== state.run) return;
    const vote = record.value as VerifiedRecord<Vote>;
    if (this.#refused.has(vote.id)) return;
    const lock = vote.body.lock && this.#certificateFor(state, vote.body.lock, locks);
    if (lock !== undefined) this.#file({ vote, lock });
    else if (this.#refused.size < 10 * MAX_ELECTORS) this.#refused.add(vote.id);
  }

  /** The certificate of `lock` among `locks` or those that were checked before; `undefined` where there is none. */
  #certificateFor(
    { electors, lastHeader, run }: State,
    lock: NonNullable<Vote['lock']>,
    locks: readonly unknown[],
  ): Certificate | undefined {
    // The same electors have signed other headers, in earlier rounds and perhaps in other runs: nobody could begin a term on one.
    const fits = (certificate: Certificate) =>
      nameOf(certificate) === `${lock.term} ${lock.header}` &&
      certificate.header.prev === lastHeader &&
      certificate.header.run === run;
    for (const { lock: checked } of this.#casts.values()) if (checked && fits(checked)) return checked;
    for (const value of locks) {
      const parsed = certificateSchema.safeParse(value);
      if (!parsed.success || !fits(parsed.data) || parsed.data.kind !== 'header') continue;
      const checked = verifyCertificate(value, electors);
      if (checked.ok) return checked.value;
    }
    return undefined;
  }

  /** Begins the latest term that has its votes, where the rule names this device. */
  async #tryToLead(signal: AbortSignal): Promise<void> {
    const { log, key, promises } = this.#parts;
    const { state } = log;
    const quorum = quorumOf(state.electors.length);
    const byTerm = Map.groupBy(this.#casts.values(), ({ vote }) => vote.body.term);
    const [term] = [...byTerm]
      .filter(([, casts]) => casts.length >= quorum)
      .map(([term]) => term)
      .sort((a, b) => b - a);
    if (term === undefined || promises.term(state) > term || !state.electors.includes(key.id)) return;
    const casts = byTerm.get(term)!;
    const lock = highestLock(casts.map(({ vote }) => vote.body));
    const certificate =
      casts.find((cast) => cast.lock && lock && nameOf(cast.lock) === `${lock.term} ${lock.header}`)?.lock ?? null;
    for (const { vote } of bestFirst(casts, lock)) {
      if (log.state.lastHeader !== this.#after || log.state.term >= term) return;
      const start = await this.#startFrom(vote.body, signal).catch(() => undefined);
      if (!start || (certificate && !holdsHeader(start.state, certificate))) continue;
      if (successorOf(start.state, term) !== key.id) return;
      return this.#lead(start, term, casts, certificate);
    }
  }

  /** What leads to the head that a vote names: here, or from the voter. */
  async #startFrom({ seen, device }: Vote, signal: AbortSignal): Promise<Start | undefined> {
    const { log, branches, network } = this.#parts;
    if (log.idAt(seen.index) === seen.id && seen.index >= log.anchorIndex)
      return { common: seen.index, entries: [], state: log.stateAt(seen.index), turns: log.turns };
    const { turns } = log;
    const peers = [device, ...network.peers()].filter((peer) => network.peers().includes(peer));
    for (const peer of new Set(peers)) {
      const branch = await branches.fetch(peer, signal, seen).catch(() => undefined);
      if (branch) return { ...branch, turns };
    }
    return undefined;
  }

  async #lead(
    { common, entries, state, turns }: Start,
    term: number,
    casts: readonly Cast[],
    lock: Certificate | null,
  ): Promise<void> {
    const { log, key, voice, promises } = this.#parts;
    if (log.turns !== turns || common < log.anchorIndex || !promises.allows(log.state, state)) return;
    const { lastHeader } = state;
    if (log.state.lastHeader !== lastHeader) return;
    const votes = casts.map(({ vote: { body, signature } }) => ({ body, signature })) as Succession['votes'];
    if (objectionToSuccession(state, { run: state.run, term, device: key.id, votes, lock } as Succession) !== null)
      return;
    // From here to the new entry nothing waits, so that nobody sees the log without it.
    const turned = log.turn(common, entries);
    const { round, base, head } = log.state;
    const record = voice.sign('succeed', { votes, lock }, { round: round.number, base, term });
    const place = { index: head.index + 1, prev: head.id, atMs: head.atMs, term };
    await Promise.all([turned, log.append(signEntry(place, record, key))]);
  }
}

type Succession = RecordOf<'succeed'>;

interface Start {
  readonly common: number;
  readonly entries: readonly Entry[];
  readonly state: State;
  readonly turns: number;
}

/** Votes in the order in which their heads should be tried: those that stand on the highest lock, then the longest. */
function bestFirst(casts: readonly Cast[], lock: Vote['lock']): Cast[] {
  const rank = ({ vote: { body } }: Cast) => [
    lock && body.lock?.term === lock.term && body.lock.header === lock.header ? 1 : 0,
    body.tail,
    body.seen.index,
  ];
  return [...casts].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return y[0]! - x[0]! || y[1]! - x[1]! || y[2]! - x[2]!;
  });
}

const nameOf = (certificate: Certificate) => `${certificate.term} ${headerId(certificate.header)}`;
