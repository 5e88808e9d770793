/**
 * Two signed statements of one device that cannot both be honest: a proof that anybody can check, without the log.
 *
 * Two entries at one place of a term; or commits, headers, seals, votes or audit results for one place with different
 * content. In another term a device may say something else, since the round may have been drawn anew; sequence numbers
 * and the head seen may differ, since an honest device repeats itself after a crash.
 */
import type { DeviceId, Hash } from '@folkmoot/core';
import { headerId, type RecordBody, type VerifiedRecord, verifyEnvelope, verifyRecord } from '@folkmoot/records';

export interface Equivocation {
  readonly device: DeviceId;
  /** What it said twice. */
  readonly what: 'entry' | 'commit' | 'header' | 'seal' | 'vote' | 'result';
  /** Ids of what it signed. */
  readonly first: Hash;
  readonly second: Hash;
}

/** What two texts of JSON, each a signed record or a signed envelope, prove of a device of `run`; `undefined`: nothing. */
export function proveEquivocation(run: Hash, first: string, second: string): Equivocation | undefined {
  const a = read(first);
  const b = read(second);
  if (!a || !b || a.run !== run || b.run !== run || a.device !== b.device) return undefined;
  if (a.place !== b.place || a.content === b.content) return undefined;
  return { device: a.device, what: a.what, first: a.id, second: b.id };
}

interface Statement {
  readonly id: Hash;
  readonly run: Hash;
  readonly device: DeviceId;
  readonly what: Equivocation['what'];
  /** At one place a device says one thing. */
  readonly place: string;
  readonly content: string;
}

function read(text: string): Statement | undefined {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  if ('envelope' in value) {
    const entry = verifyEnvelope(value);
    if (!entry.ok) return undefined;
    const { id, device, envelope } = entry.value;
    const { run, term, index } = envelope;
    return { id, run, device, what: 'entry', place: `entry ${term} ${index}`, content: id };
  }
  const record = verifyRecord(value);
  return record.ok ? statementOf(record.value) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function statementOf({ id, body }: VerifiedRecord): Statement | undefined {
  const { run, device, term, round } = body;
  const said = (what: Equivocation['what'], place: string, content: string): Statement => {
    return { id, run, device, what, place: `${what} ${term} ${place}`, content };
  };
  switch (body.kind) {
    case 'commit':
      return said('commit', `${round}`, contentOf(body));
    case 'header':
      return said('header', body.header.prev, headerId(body.header));
    case 'seal':
      return said('seal', body.prev, body.header);
    case 'vote':
      return said('vote', body.header, JSON.stringify([body.seen.index, body.seen.id, body.tail, body.lock]));
    case 'result':
      return said('result', `${round} ${body.trainer} ${body.segment}`, contentOf(body));
    default:
      return undefined;
  }
}

function contentOf(body: RecordBody): string {
  const { seq: _seq, seen: _seen, ...content } = body;
  return JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
}
