/** What a checker is: a second opinion on every entry of the log and on everything that members tell. */
import type { DeviceId, DeviceKey, Hash } from '@folkmoot/core';
import type { Share } from '@folkmoot/ledger';
import type { Notice } from '@folkmoot/node';
import type { Event, State } from '@folkmoot/protocol';
import type { Charter, Entry, RecordBody, RecordKind, RecordOf } from '@folkmoot/records';
import type { SimPerson } from '../sim-run.ts';

/** What checkers may know beyond the log: it is the simulator that asks. */
export interface Truth {
  readonly charter: Charter;
  readonly run: Hash;
  /** What accounts bring into a run that was forked from another. */
  readonly shares?: readonly Share[];
  /** Adversaries are not honest, whatever they do. */
  isHonest(device: DeviceId): boolean;
  /** Its disk has forgotten what it had signed as the sequencer: it may contradict itself and mean no harm. */
  hasForgotten(device: DeviceId): boolean;
  /** An adversary that never does the work that it is credited for. */
  doesNoWork(device: DeviceId): boolean;
  keyOf(device: DeviceId): DeviceKey | undefined;
  /** No adversary but such: who audits does it properly. */
  readonly auditorsAreHonest: boolean;
  /** No adversary among the members. */
  readonly allHonest: boolean;
  /** The first round that began in a healed world, once there is one. */
  readonly calmFrom: number | undefined;
  /** Training is pretended, so that what it gives can be computed by hand. */
  readonly pretends: boolean;
}

/** One entry and what the reducer made of it. The state is the reducer's own: it is read, never changed. */
export interface Look {
  readonly entry: Entry;
  readonly body: RecordBody;
  /** The record took effect. */
  readonly accepted: boolean;
  readonly events: readonly Event[];
  readonly state: State;
}

/** What is wrong, in one sentence with names and numbers; `undefined` where nothing is. */
export type Finding = string | undefined;

export interface Checker {
  readonly invariant: string;
  /** What holds, for people. */
  readonly claim: string;
  /** Before the reducer takes the entry. */
  before?(entry: Entry, state: State): Finding;
  /** After it. */
  after?(look: Look): Finding;
  /** Something that a member told. */
  told?(person: SimPerson, notice: Notice): Finding;
}

export type MakeChecker = (truth: Truth) => Checker;

/** The first finding of several looks. */
export function first<T>(items: Iterable<T>, look: (item: T) => Finding): Finding {
  for (const item of items) {
    const finding = look(item);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

export function isKind<K extends RecordKind>(body: RecordBody, kind: K): body is RecordOf<K> {
  return body.kind === kind;
}

export const short = (id: string): string => id.slice(0, 6);
