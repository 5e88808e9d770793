/** I9: every signature holds, every opened link is the committed one, and no field can be changed. */
import { entryBytes, parseEntry, parseRecord, type RecordOf, recordBytes } from '@folkmoot/records';
import { type Checker, type Finding, isKind, type Look, short, type Truth } from './checker.ts';
import { SeatShares } from './seat-shares.ts';
import { canonical, hashParts, isSigned, rootOfProof, sha } from './second-opinion.ts';

/** One entry in so many has its signatures checked once more, and one in so many is forged. */
const SIGNED_EVERY = 3;
const FORGED_EVERY = 4;

type Opening = RecordOf<'open'>['start'];

export function forgery({ charter, run, isHonest }: Truth): Checker {
  const whole = charter.stepsPerRound / charter.stepsPerSegment;
  const shares = new SeatShares();
  const roots = new Map<string, RecordOf<'commit'>>();
  let prev = run;
  let atMs = 0;
  /** Who orders the log, before this entry. */
  let sequencer = charter.sequencer;
  let term = 1;

  /** Both signatures and the chain, by other code than that which checked them before. */
  function signatures({ entry, body }: Look): Finding {
    const text = canonical(body);
    const { record } = entry;
    if (sha(text) !== record.id) return `the record in entry ${entry.index} has another hash than its id`;
    const isLooked = entry.index % SIGNED_EVERY === 0;
    if (isLooked && !isSigned(body.device, text, record.signature))
      return `the ${body.kind} in entry ${entry.index} is not signed by ${short(body.device)}`;
    const place = {
      index: entry.index,
      prev: entry.prev,
      atMs: entry.atMs,
      term: entry.term,
      run: body.run,
      record: record.id,
      recordSignature: record.signature,
    };
    const placed = canonical(place);
    if (sha(placed) !== entry.id) return `entry ${entry.index} has another hash than its id`;
    const signer = entry.term > term ? body.device : sequencer;
    if (entry.term > term && body.kind !== 'succeed') return `entry ${entry.index} begins a term without votes`;
    if (isLooked && !isSigned(signer, placed, entry.signature))
      return `entry ${entry.index} is not signed by the sequencer`;
    if (entry.prev !== prev) return `entry ${entry.index} follows another than the one before`;
    if (entry.atMs < atMs) return `entry ${entry.index} is earlier than the one before`;
    prev = entry.id;
    atMs = entry.atMs;
    return undefined;
  }

  /** One field of the entry, another with every entry, is changed: it must not be taken for signed. */
  function changed({ entry }: Look, signer: string): Finding {
    const value = JSON.parse(new TextDecoder().decode(entryBytes(entry)));
    const leaves = leavesOf(value);
    const leaf = leaves[(entry.index * 7) % leaves.length]!;
    leaf.change();
    const parsed = parseEntry(new TextEncoder().encode(canonical(value)), signer);
    return parsed.ok ? `entry ${entry.index} is taken with another ${leaf.path}` : changedRecord(entry);
  }

  /** The same of the record alone, as it comes to the sequencer. */
  function changedRecord({ index, record }: Look['entry']): Finding {
    const value = JSON.parse(new TextDecoder().decode(recordBytes(record)));
    const leaves = leavesOf(value);
    const leaf = leaves[(index * 5) % leaves.length]!;
    leaf.change();
    const parsed = parseRecord(new TextEncoder().encode(canonical(value)));
    return parsed.ok ? `the ${record.body.kind} in entry ${index} is taken with another ${leaf.path}` : undefined;
  }

  function openings(look: Look): Finding {
    shares.see(look);
    const { body, state, accepted } = look;
    if (!accepted) return undefined;
    if (isKind(body, 'commit')) roots.set(`${body.round} ${body.device}`, body);
    if (!isKind(body, 'open') && !isKind(body, 'close')) return undefined;
    const key = `${body.round}:${body.device}`;
    const audit = state.audits[key];
    const commit = roots.get(`${body.round} ${body.device}`);
    const says = `the ${body.kind} of ${short(body.device)} in round ${body.round}`;
    if (!audit || !commit) return `${says} opens what nobody audits`;
    const { seed, base, segment } = audit;
    const skip = shares.before(body.round, body.device);
    const segments = whole - skip;
    const rows = (of: number) => hashParts('rows', seed, commit.seat, skip + of);
    const holds = (opening: Opening, index: number, link: string) =>
      opening.index === index &&
      rootOfProof(segments + 2, index, hashParts('trace-leaf', index, opening.salt, link), opening.proof) ===
        commit.traceRoot;
    const link = (previous: string, params: string, moments: string, of: number) =>
      hashParts('trace-segment', previous, hashParts('state', params, moments), rows(of));
    if (isKind(body, 'open')) {
      const isFirst = segment === 1;
      if (isFirst && (body.params !== base || body.moments !== commit.momentsIn))
        return `${says} starts from another state than the base`;
      const start = isFirst
        ? hashParts('trace-start', base, seed, commit.seat, commit.momentsIn)
        : link(body.previous ?? '', body.params, body.moments, segment - 1);
      return holds(body.start, segment - 1, start) ? undefined : `${says} is not in the committed trace`;
    }
    const update = audit.update;
    const end = link(audit.opened?.previous ?? '', body.endParams, body.endMoments, segment);
    const last = link(body.lastPrevious, body.lastParams, commit.momentsOut, segments);
    const encode = hashParts('trace-encode', last, update, commit.errorIn, commit.errorOut);
    const all =
      holds(body.end, segment, end) && holds(body.last, segments, last) && holds(body.encode, segments + 1, encode);
    return all ? undefined : `${says} is not in the committed trace`;
  }

  return {
    invariant: 'I9',
    claim: 'whatever is forged fails to verify',
    after(look) {
      const { entry, state } = look;
      const signer = entry.term > term ? look.body.device : sequencer;
      const found =
        signatures(look) ??
        openings(look) ??
        (isHonest(signer) && entry.index % FORGED_EVERY === 0 ? changed(look, signer) : undefined);
      sequencer = state.sequencer;
      term = state.term;
      return found;
    },
  };
}

interface Leaf {
  readonly path: string;
  readonly change: () => void;
}

function leavesOf(value: unknown, path = ''): Leaf[] {
  if (value === null || typeof value !== 'object') return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => {
    const at = path === '' ? name : `${path}.${name}`;
    const held = holder[name];
    if (held !== null && typeof held === 'object') return leavesOf(held, at);
    if (name === 'kind' || held === null) return [];
    return [{ path: at, change: () => (holder[name] = another(held)) }];
  });
}

/** Another value of the same kind and size, so that the shape is right. */
function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  const text = String(value);
  const at = text.length - 1;
  return text.slice(0, at) + (text[at] === '1' ? '2' : '1');
}
