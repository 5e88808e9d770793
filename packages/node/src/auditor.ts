/** The auditor: re-executes a drawn segment and the encoding, and says what came out. */
import { type Canonical, canonicalBytes, fromUtf8, type Hash, hashOf, isWorldError, sha256 } from '@folkmoot/core';
import type { Audit } from '@folkmoot/protocol';
import { resultOf, type Said, type StateIds, stateRoot } from '@folkmoot/records';
import { judge, MAX_DISTANCE_PPM } from '@folkmoot/verify';
import { artifactSizes } from './expectations.ts';
import { startParams } from './start-params.ts';
import type { Receipt } from './voice.ts';
import type { Distance } from './work.ts';
import type { Workbench } from './workbench.ts';

/** What an auditor keeps between its result and its verdict. */
interface Kept {
  readonly of: string;
  readonly mine: StateIds;
  readonly salt: Hash;
}

const SLOTS = 64;
/** Slots that are tried for one audit. */
const PROBES = 8;
const RETRY_MS = 2000;

const NO_RESULT = 'all: the opened state trains to nothing';

/** What comes out of a state that no arithmetic can go on from: equal to nothing that a trainer can claim. */
const NOTHING: StateIds = { params: hashOf('nothing'), moments: hashOf('nothing') };

export class Auditor {
  readonly #bench: Workbench;
  readonly #recent = new Map<string, Kept>();
  /** Artifact bytes fetched for audits. */
  fetchedBytes = 0;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Re-executes the opened segment and commits to the result. */
  async audit(audit: Audit, signal: AbortSignal): Promise<Receipt> {
    const { voice, key } = this.#bench;
    try {
      const kept =
        (await this.#recall(audit)) ?? (await this.#patiently(audit, signal, () => this.#replay(audit, signal)));
      const result = resultOf(stateRoot(kept.mine), kept.salt, key.id);
      return await voice.say('result', { trainer: audit.trainer, segment: audit.segment, result }, audit);
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable')) throw error;
      return this.#without(audit, 'unavailable');
    }
  }

  /** Compares with what the trainer has closed, and gives the verdict. */
  async judge(audit: Audit, signal: AbortSignal): Promise<Receipt> {
    const kept = await this.#recall(audit);
    if (!kept) return this.#without(audit, 'abstain');
    try {
      const verdict = await this.#patiently(audit, signal, () => this.#verdict(audit, kept, signal));
      return await this.#bench.voice.say('verdict', verdict, audit);
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable')) throw error;
      return this.#without(audit, 'unavailable');
    }
  }

  /** Own results that a verdict may still need. */
  async needed(): Promise<Hash[]> {
    const kept = await Promise.all(Array.from({ length: SLOTS }, (_, slot) => this.#read(slot)));
    return kept.flatMap((audit) => (audit ? [audit.mine.params, audit.mine.moments] : []));
  }

  async #replay(audit: Audit, signal: AbortSignal): Promise<Kept> {
    const { work, artifacts, secret, cells, notify } = this.#bench;
    const start = await this.#startState(audit, signal);
    const { round, seed, seat, skip, carryIn, segment, trainer } = audit;
    const startedMs = performance.now();
    const assignment = { round, seed, seat, skip, carriedSteps: carryIn.steps };
    const mine = await work.replay(assignment, segment, start, signal);
    notify({ kind: 'auditing', round, trainer, segment, tookMs: performance.now() - startedMs });
    const ids = mine
      ? { params: await artifacts.put(mine.params), moments: await artifacts.put(mine.moments) }
      : NOTHING;
    const kept = { of: nameOf(audit), mine: ids, salt: secret(`audit ${nameOf(audit)}`) };
    this.#recent.set(kept.of, kept);
    for (const old of [...this.#recent.keys()].slice(0, -SLOTS)) this.#recent.delete(old);
    await cells.write(`audit-${await this.#slotFor(kept.of)}`, canonicalBytes(kept as unknown as Canonical));
    return kept;
  }

  async #startState(audit: Audit, signal: AbortSignal) {
    const sizes = artifactSizes(this.#bench.charter);
    const { params, moments } = audit.opened!;
    return {
      // A first segment starts where the round does, which follows from bases and memory that the log names.
      params:
        audit.segment === 1
          ? await this.#roundStart(audit, signal)
          : await this.#fetch(audit, params, sizes.params, signal),
      moments: await this.#fetch(audit, moments, sizes.moments, signal),
    };
  }

  async #verdict(audit: Audit, kept: Kept, signal: AbortSignal): Promise<Said<'verdict'>> {
    const { trainer, segment, closed } = audit;
    const { outcome, part, distancePpm, first } = await judge({
      claimed: { params: closed!.endParams, moments: closed!.endMoments },
      mine: kept.mine,
      tolerancePpm: this.#bench.charter.engine.tolerancePpm,
      distance: () => this.#distance(audit, kept, signal),
      encodes: () => this.#encodesAlike(audit, signal),
    });
    return {
      trainer,
      segment,
      stateRoot: stateRoot(kept.mine),
      salt: kept.salt,
      outcome,
      part,
      distancePpm,
      tensor: first,
    };
  }

  async #distance(audit: Audit, kept: Kept, signal: AbortSignal): Promise<Distance> {
    if (kept.mine.params === NOTHING.params)
      return { distancePpm: MAX_DISTANCE_PPM, tensor: NO_RESULT, first: NO_RESULT };
    const { work, artifacts, charter } = this.#bench;
    const sizes = artifactSizes(charter);
    const { endParams, endMoments } = audit.closed!;
    const claimed = {
      params: await this.#fetch(audit, endParams, sizes.params, signal),
      moments: await this.#fetch(audit, endMoments, sizes.moments, signal),
    };
    const mine = {
      params: await artifacts.store.get(kept.mine.params),
      moments: await artifacts.store.get(kept.mine.moments),
    };
    return work.distance(await this.#startState(audit, signal), mine, claimed);
  }

  async #encodesAlike(audit: Audit, signal: AbortSignal): Promise<boolean> {
    const { work, charter } = this.#bench;
    const sizes = artifactSizes(charter);
    const start = await this.#roundStart(audit, signal);
    const last = await this.#fetch(audit, audit.closed!.lastParams, sizes.params, signal);
    const error = await this.#fetch(audit, audit.carryIn.error, sizes.error, signal);
    const mine = work.encode(start, last, error);
    return (
      mine !== undefined && sha256(mine.update) === audit.update && sha256(mine.errorOut) === audit.commit.errorOut
    );
  }

  #roundStart(audit: Audit, signal: AbortSignal): Promise<Uint8Array> {
    const { error } = artifactSizes(this.#bench.charter);
    return startParams(this.#bench, audit, () => this.#fetch(audit, audit.carryIn.error, error, signal), signal);
  }

  /** Tries again where the trainer is away: after a crash it has as long to come back as it has for opening. */
  async #patiently<T>(audit: Audit, signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    const { clock, charter, artifacts } = this.#bench;
    const giveUpMs = clock.now() + charter.timing.openTraceMs;
    for (;;) {
      try {
        return await step();
      } catch (error) {
        const mayCome = !artifacts.reaches(audit.trainer) && clock.now() < giveUpMs;
        if (!isWorldError(error, 'artifact-unavailable') || !mayCome) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  async #fetch(audit: Audit, id: Hash, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { artifacts, charter } = this.#bench;
    const held = (await artifacts.store.size(id)) !== undefined;
    // A trainer that lets its bytes drip would make its auditors silent, and silence is paid: this ends in a verdict.
    const withinMs = Math.floor(charter.timing.auditMs / 5);
    const from = [audit.trainer, ...audit.auditors];
    const bytes = await artifacts.get(id, { maxBytes: sizeBytes, from, signal, withinMs });
    if (!held) this.fetchedBytes += sizeBytes;
    return bytes;
  }

  #without(audit: Audit, outcome: 'abstain' | 'unavailable'): Promise<Receipt> {
    const { trainer, segment } = audit;
    const nothing = { part: 'segment', stateRoot: null, salt: null, distancePpm: 0, tensor: '' } as const;
    return this.#bench.voice.say('verdict', { trainer, segment, outcome, ...nothing }, audit);
  }

  async #recall(audit: Audit): Promise<Kept | undefined> {
    const name = nameOf(audit);
    const recent = this.#recent.get(name);
    if (recent) return recent;
    for (const slot of slotsOf(name)) {
      const kept = await this.#read(slot);
      if (kept?.of === name) return kept;
    }
    return undefined;
  }

  /** What was said to an audit that is open must be there after a crash: saying something else would be a proof of fault. */
  async #slotFor(name: string): Promise<number> {
    const open = new Set(Object.values(this.#bench.log.state.audits).map(nameOf));
    const slots = slotsOf(name);
    for (const slot of slots) {
      const kept = await this.#read(slot);
      if (!kept || kept.of === name || !open.has(kept.of)) return slot;
    }
    return slots[0]!;
  }

  async #read(slot: number): Promise<Kept | undefined> {
    const bytes = await this.#bench.cells.read(`audit-${slot}`);
    return bytes && (JSON.parse(fromUtf8(bytes)) as Kept);
  }
}

const nameOf = (audit: Audit) => `${audit.commit.id} ${audit.segment}`;

/** Where the result of an audit may be kept. */
function slotsOf(name: string): number[] {
  const first = Number.parseInt(sha256(new TextEncoder().encode(name)).slice(0, 6), 16);
  return Array.from({ length: PROBES }, (_, i) => (first + i) % SLOTS);
}
