/**
 * Records: what members say, signed by a device.
 *
 * Each names the run, the round and that round's base, so it is inert anywhere else; a sequence number that grows, so it
 * counts once; and the newest log entry that its signer saw, so a forked log betrays itself.
 */
import {
  type Canonical,
  canonicalBytes,
  type DeviceKey,
  fromUtf8,
  type Hash,
  sha256,
  signBytes,
  verifyBytes,
} from '@folkmoot/core';
import { z } from 'zod';
import { certificateSchema, MAX_ELECTORS } from './certificate-schema.ts';
import { moveSchema } from './dispute.ts';
import { account, count, device, hash, label, natural, signature } from './fields.ts';
import { headerSchema } from './header.ts';
import { scoreFields } from './help.ts';
import { lapseFields, reproducedFields } from './lease.ts';
import { admissionSchema } from './ticket.ts';
import { openingSchema } from './trace.ts';

/** Largest record on the wire. */
export const MAX_RECORD_BYTES = 64 * 1024;

const common = {
  run: hash,
  round: natural,
  base: hash,
  device,
  seq: count(Number.MAX_SAFE_INTEGER),
  seen: z.strictObject({ index: z.int().min(-1).max(Number.MAX_SAFE_INTEGER), id: hash }),
  /** The sequencer's term in which it is said: in another it is inert. */
  term: count(Number.MAX_SAFE_INTEGER),
};

/** r ‖ s ‖ v of an account's EIP-712 signature. */
const accountSignature = z.string().regex(/^[0-9a-f]{130}$/, 'expected 130 lower-case hexadecimal digits');

/** An account admits a device to the run. `vouch`: the account's EIP-712 signature. `admission`: where the run asks for it. */
const join = z.strictObject({
  kind: z.literal('join'),
  ...common,
  account,
  vouch: accountSignature,
  name: label(32),
  admission: admissionSchema.optional(),
});

/**
 * An account disowns one of its devices: `signature` is the account's, EIP-712. Whoever carries it need not be a member,
 * since a lost device may have been the only one.
 */
const revoke = z.strictObject({
  kind: z.literal('revoke'),
  ...common,
  account,
  revoked: device,
  signature: accountSignature,
});

/** The issuer of a ticket takes it back: `signature` is the issuer's, over `withdrawalBytes`. Anybody may carry it. */
const withdraw = z.strictObject({ kind: z.literal('withdraw'), ...common, issuer: device, key: device, signature });

/** The device can take work from the next round on. `tip`: the end of its seed chain. `reset`: it lost its carried state. */
const ready = z.strictObject({ kind: z.literal('ready'), ...common, tip: hash, engine: label(64), reset: z.boolean() });

/**
 * `abstains`: the device has signed no header, seal or vote since the last header, and signs none before the next one: the
 * quorum of the others need not wait for it.
 */
const leave = z.strictObject({ kind: z.literal('leave'), ...common, abstains: z.boolean() });

/** The trainer has worked; what it offers stays hidden behind `blind` until everybody has committed. */
const commit = z.strictObject({
  kind: z.literal('commit'),
  ...common,
  seat: natural,
  traceRoot: hash,
  /** `blindOf(update, salt, device)`. */
  blind: hash,
  momentsIn: hash,
  momentsOut: hash,
  errorIn: hash,
  errorOut: hash,
  engine: label(64),
});

const reveal = z.strictObject({
  kind: z.literal('reveal'),
  ...common,
  update: hash,
  updateBytes: count(2 ** 34),
  salt: hash,
});

/** A witness has fetched and checked these updates. `preimage`: the next link of its seed chain. */
const attest = z.strictObject({
  kind: z.literal('attest'),
  ...common,
  draw: z.int().min(0).max(2),
  updates: z.array(hash).max(1024),
  preimage: hash,
});

/** An elector has aggregated the round and signs its end. */
const header = z.strictObject({
  kind: z.literal('header'),
  ...common,
  header: headerSchema,
  preimage: hash,
});

/** An elector has seen a quorum sign this header, and stands by it. `prev`: the header before it. */
const seal = z.strictObject({ kind: z.literal('seal'), ...common, header: hash, prev: hash });

const audited = { ...common, trainer: device, segment: count(100_000) };

/** The trainer opens the state at which the drawn segment starts. `link`: the link before it, where there is one. */
const open = z.strictObject({
  kind: z.literal('open'),
  ...common,
  segment: count(100_000),
  start: openingSchema,
  params: hash,
  moments: hash,
  previous: hash.nullable(),
});

/** The auditor has re-executed and commits to what came out: `resultOf(stateRoot, salt, device)`. */
const result = z.strictObject({ kind: z.literal('result'), ...audited, result: hash });

/** After the result: the trainer opens the segment's end, the round's last state and the encoding. */
const close = z.strictObject({
  kind: z.literal('close'),
  ...common,
  segment: count(100_000),
  end: openingSchema,
  endParams: hash,
  endMoments: hash,
  last: openingSchema,
  lastParams: hash,
  /** Link K−1, from which the last link is recomputed. */
  lastPrevious: hash,
  encode: openingSchema,
});

export const VERDICTS = ['match', 'within', 'mismatch', 'abstain', 'unavailable'] as const;

const verdict = z.strictObject({
  kind: z.literal('verdict'),
  ...audited,
  outcome: z.enum(VERDICTS),
  /** Where a mismatch lies. */
  part: z.enum(['segment', 'encode']),
  /** State root that the auditor computed and the salt of its `result`; null where it abstains. */
  stateRoot: hash.nullable(),
  salt: hash.nullable(),
  /** Largest distance over the tensors, parts per million of the change. */
  distancePpm: z.int().min(0).max(1_000_000_000),
  /** First tensor that differs, or empty. */
  tensor: z.string().max(96),
});

/** A move in the dispute over `accuser`’s mismatch about `trainer`. `turn`: moves made before it. */
const dispute = z.strictObject({
  kind: z.literal('dispute'),
  ...common,
  trainer: device,
  accuser: device,
  turn: z.int().min(0).max(1000),
  move: moveSchema,
});

/**
 * Two signed statements of one device that contradict each other: a proof that needs no judge. Each is the JSON of a
 * signed record, or of an entry's envelope.
 */
const fault = z.strictObject({
  kind: z.literal('fault'),
  ...common,
  first: z.string().max(16_384),
  second: z.string().max(16_384),
});

/** Of these trainers a witness has seen no lease for the charter's time. */
const lapse = z.strictObject({ kind: z.literal('lapse'), ...common, ...lapseFields });

/** A trainer of whom that was said is here all the same. */
const alive = z.strictObject({ kind: z.literal('alive'), ...common, seat: natural });

/** An auditor has re-executed what a vanished trainer had leased. */
const reproduced = z.strictObject({ kind: z.literal('reproduced'), ...common, ...reproducedFields });

/** A witness has measured whom the updates help. */
const score = z.strictObject({ kind: z.literal('score'), ...common, ...scoreFields });

/** The sequencer says what time it is. */
const tick = z.strictObject({ kind: z.literal('tick'), ...common });

/**
 * An elector asks for term `term`: it signs nothing more in an older one until the next header. `seen` is the end of its
 * log, `tail` the term of that, `header` the last finished one, `lock` what it has seen a quorum sign since.
 */
const vote = z.strictObject({
  kind: z.literal('vote'),
  ...common,
  header: hash,
  tail: count(Number.MAX_SAFE_INTEGER),
  lock: z.strictObject({ term: count(Number.MAX_SAFE_INTEGER), header: hash }).nullable(),
});

const signedVoteSchema = z.strictObject({ body: vote, signature });

/** The first entry of a term that was voted for: the votes, and the signatures on the header that the highest lock names. */
const succeed = z.strictObject({
  kind: z.literal('succeed'),
  ...common,
  votes: z.array(signedVoteSchema).min(1).max(MAX_ELECTORS),
  lock: certificateSchema.nullable(),
});

export const recordSchema = z.discriminatedUnion('kind', [
  join,
  ready,
  leave,
  commit,
  reveal,
  attest,
  header,
  seal,
  open,
  result,
  close,
  verdict,
  dispute,
  fault,
  revoke,
  withdraw,
  lapse,
  alive,
  reproduced,
  score,
  tick,
  vote,
  succeed,
]);

export type RecordBody = z.infer<typeof recordSchema>;
export type RecordKind = RecordBody['kind'];
export type RecordOf<K extends RecordKind> = Extract<RecordBody, { kind: K }>;
/** What differs from kind to kind. */
export type Said<K extends RecordKind> = Omit<RecordOf<K>, keyof typeof common | 'kind'>;

const signedSchema = z.strictObject({ body: recordSchema, signature });
export type SignedRecord = z.infer<typeof signedSchema>;

declare const checked: unique symbol;
/** A record whose schema and signature were checked: the only kind that `apply` takes. */
export interface VerifiedRecord<B extends RecordBody = RecordBody> {
  readonly id: Hash;
  readonly body: B;
  readonly signature: string;
  readonly [checked]: true;
}

/** sha-256 of the canonical body; the signature is over the same bytes. */
export function recordId(body: RecordBody): Hash {
  return sha256(canonicalBytes(body as Canonical));
}

/** Signs `body` with the key of `body.device`. Throws `RangeError` where the key is another's. */
export function signRecord<B extends RecordBody>(body: B, key: DeviceKey): VerifiedRecord<B> {
  if (body.device !== key.id) throw new RangeError('a record is signed by the device that it names');
  const signed = { id: recordId(body), body, signature: signBytes(key, canonicalBytes(body as Canonical)) };
  return signed as unknown as VerifiedRecord<B>;
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Checks the shape and the signature of a value from the network. */
export function verifyRecord(value: unknown): Checked<VerifiedRecord> {
  const parsed = signedSchema.safeParse(value);
  if (!parsed.success) return { ok: false, reason: `not a record: ${firstIssue(parsed.error)}` };
  const { body, signature } = parsed.data;
  const bytes = canonicalOrNone(body as Canonical);
  if (!bytes) return { ok: false, reason: 'the record has no canonical form' };
  if (!verifyBytes(body.device, bytes, signature)) return { ok: false, reason: 'the signature is not the device’s' };
  return { ok: true, value: { id: sha256(bytes), body, signature } as unknown as VerifiedRecord };
}

/** The same from bytes: bounded, strict UTF-8, JSON. */
export function parseRecord(bytes: Uint8Array): Checked<VerifiedRecord> {
  const json = parseJson(bytes, MAX_RECORD_BYTES);
  return json.ok ? verifyRecord(json.value) : json;
}

export function recordBytes(record: VerifiedRecord): Uint8Array {
  return canonicalBytes({ body: record.body as Canonical, signature: record.signature });
}

/** JSON from the network: at most `maxBytes`, strict UTF-8. */
export function parseJson(bytes: Uint8Array, maxBytes: number): Checked<unknown> {
  if (bytes.length > maxBytes) return { ok: false, reason: `${bytes.length} bytes where ${maxBytes} are allowed` };
  try {
    return { ok: true, value: JSON.parse(fromUtf8(bytes)) };
  } catch {
    return { ok: false, reason: 'not JSON in UTF-8' };
  }
}

/** Canonical bytes, or `undefined` for what JSON can say and canonical JSON cannot: −0, half of a character. */
export function canonicalOrNone(value: Canonical): Uint8Array | undefined {
  try {
    return canonicalBytes(value);
  } catch {
    return undefined;
  }
}

export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'value'}: ${issue.message}` : 'unknown';
}
