/**
 * Pedigree: what shows a stranger that a header is a sealed one of a run, without that run's log.
 *
 * Lines of canonical JSON. First the log up to the entry that begins round 1, which names the first electors. Then a link
 * for each finished round: its header with the seals of a quorum of the electors whom the header before it names, and,
 * where electors were counted out, the signed statements that did it. As long as the run has finished rounds, whatever
 * its size in members.
 */
import {
  type Canonical,
  canonicalJson,
  type DeviceId,
  type Hash,
  parseBoundedJson,
  revokingAccount,
  utf8,
  vouchingAccount,
} from '@folkmoot/core';
import {
  type Charter,
  type Checked,
  electorsId,
  type Header,
  headerId,
  type PedigreeLink,
  pedigreeLinkIn,
  type RecordBody,
  type RecordKind,
  type RecordOf,
  verifyCertificate,
  verifyRecord,
} from '@folkmoot/records';
import { apply } from './apply.ts';
import { proveEquivocation } from './equivocation.ts';
import { initialState, type State } from './state.ts';
import { readEntry } from './succession.ts';

/** A link with sixteen seals, and electors counted out by the longest of proofs. */
const MAX_LINE_BYTES = 2 ** 20;
/** The widest record in an entry, or that link. */
const BOUNDS = { depth: 16, containers: 4096, commas: 16_384 };
/** Lines after which whoever reads for long lets others have a turn. */
const LINES_AT_ONCE = 64;

/** What a pedigree shows. */
export interface Shown {
  readonly header: Header;
  /** Who could seal it, and who did. */
  readonly electors: readonly DeviceId[];
  readonly seals: readonly DeviceId[];
  readonly term: number;
}

/** `founding`: the entries up to the one that begins round 1, as they travel. */
export function pedigreeBytes(founding: readonly string[], links: readonly PedigreeLink[]): Uint8Array {
  const lines = [
    ...founding.map((line) => canonicalJson({ entry: JSON.parse(line) as Canonical })),
    ...links.map((link) => canonicalJson({ link } as unknown as Canonical)),
  ];
  return utf8(lines.map((line) => `${line}\n`).join(''));
}

/**
 * Reads the pedigree of a header of the run that `charter` founds: the last link's. The size of `bytes` is the caller's to
 * bound; `pause` is awaited between lines, so that a long one holds up nobody.
 */
export async function readPedigree(
  charter: Charter,
  bytes: Uint8Array,
  pause: () => Promise<void> = async () => {},
): Promise<Checked<Shown>> {
  const reader = new Reader(charter);
  let line = 1;
  for (let at = 0; at < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, at);
    const reason = end < 0 ? 'it is cut off' : reader.take(bytes.subarray(at, end));
    if (reason !== undefined) return { ok: false, reason: `line ${line}: ${reason}` };
    at = end + 1;
    if (line % LINES_AT_ONCE === 0) await pause();
  }
  return reader.shown ? { ok: true, value: reader.shown } : { ok: false, reason: 'it shows no header' };
}

/**
 * The same of each finished round of a log, one after another: what its link shows, or why it shows nothing. After one that
 * does not hold none can.
 */
export function* readLinks(
  charter: Charter,
  founding: readonly string[],
  links: readonly PedigreeLink[],
): Generator<Checked<Shown>> {
  const reader = new Reader(charter);
  let broken: string | undefined;
  for (const line of founding) broken ??= reader.takeEntry(JSON.parse(line));
  for (const link of links) {
    broken ??= reader.takeLink(link);
    yield broken === undefined ? { ok: true, value: reader.shown! } : { ok: false, reason: broken };
  }
}

class Reader {
  /** The last header that holds. */
  shown: Shown | undefined;
  readonly #state: State;

  constructor(charter: Charter) {
    // What accounts hold decides nothing of who is an elector.
    this.#state = initialState(charter, []);
  }

  /** Why the line does not go on from those before it, or `undefined`. */
  take(bytes: Uint8Array): string | undefined {
    const { entry, link, ...rest } = lineIn(bytes);
    if ((entry === undefined) === (link === undefined) || Object.keys(rest).length > 0)
      return 'it is neither an entry nor a link';
    return link === undefined ? this.takeEntry(entry) : this.takeLink(link);
  }

  takeEntry(value: unknown): string | undefined {
    if (this.#hasBegun) return 'an entry after the one that began round 1';
    const entry = readEntry(this.#state, value);
    if (!entry.ok) return entry.reason;
    apply(this.#state, entry.value);
    return undefined;
  }

  takeLink(value: unknown): string | undefined {
    if (!this.#hasBegun) return 'a link before round 1 has begun';
    const parsed = pedigreeLinkIn(value);
    if (!parsed.ok) return parsed.reason;
    const { electors, gone, certificate } = parsed.value;
    const { header } = certificate;
    const reason = this.#objectionTo(header, electors);
    if (reason !== undefined) return reason;
    const out = gone.map((records) => goneDevice(header, this.#roundBefore, records));
    if (out.some((device) => device === undefined)) return 'an elector is counted out without proof';
    const left = electors.filter((device) => !out.includes(device));
    if (left.length === 0) return 'no elector is left';
    const checked = verifyCertificate(certificate, left);
    if (!checked.ok) return checked.reason;
    if (certificate.kind !== 'seal') return 'the header was signed, and not sealed';
    const seals = checked.value.signers.map(({ device }) => device).sort();
    this.shown = { header, electors: left, seals, term: certificate.term };
    return undefined;
  }

  /** Why `header` is not the next of this run, sealed by those whom the one before it names; or `undefined`. */
  #objectionTo(header: Header, electors: readonly DeviceId[]): string | undefined {
    const { charter, run } = this.#state;
    const before = this.shown?.header;
    if (header.run !== run) return 'the header is another run’s';
    if (header.prev !== (before ? headerId(before) : run)) return 'the header does not follow the one before';
    if (header.base !== (before?.nextBase ?? charter.initialBase)) return 'the header starts at another base';
    if (header.round <= this.#roundBefore) return 'the header’s round is not a later one';
    return electorsId(electors) === (before?.electors ?? electorsId(this.#state.electors))
      ? undefined
      : 'these are not the electors whom the header before it names';
  }

  get #hasBegun(): boolean {
    return this.#state.round.phase !== 'open' || this.#state.round.number > 1;
  }

  get #roundBefore(): number {
    return this.shown?.header.round ?? 0;
  }
}

/** The members of the object in one line; none where it is no such line. */
function lineIn(bytes: Uint8Array): Record<string, unknown> {
  try {
    return (bytes.length > MAX_LINE_BYTES ? {} : (parseBoundedJson(bytes, BOUNDS) ?? {})) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Whom these records count out of the electors that end the round of `header`; `undefined` where they prove nothing. */
function goneDevice(
  { run, round, base }: Header,
  roundBefore: number,
  values: readonly unknown[],
): DeviceId | undefined {
  const bodies = values.map((value) => {
    const record = verifyRecord(value);
    return record.ok && record.value.body.run === run ? record.value.body : undefined;
  });
  const [first, second] = bodies;
  if (is(first, 'leave'))
    return first.abstains && first.base === base && first.round > roundBefore && first.round <= round
      ? first.device
      : undefined;
  if (is(first, 'fault')) return proveEquivocation(run, first.first, first.second)?.device;
  return is(first, 'revoke') && is(second, 'join') ? revokedDevice(run, first, second) : undefined;
}

/** The account that the device itself has named, and that has vouched for it, disowns it. */
function revokedDevice(run: Hash, revoke: RecordOf<'revoke'>, join: RecordOf<'join'>): DeviceId | undefined {
  const { account, revoked } = revoke;
  if (join.device !== revoked || join.account !== account) return undefined;
  if (vouchingAccount(revoked, run, join.vouch) !== account) return undefined;
  return revokingAccount(revoked, run, revoke.signature) === account ? revoked : undefined;
}

function is<K extends RecordKind>(body: RecordBody | undefined, kind: K): body is RecordOf<K> {
  return body?.kind === kind;
}
