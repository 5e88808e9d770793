/** The charter: a run's immutable rules. Its hash is the run's id; nothing outside it changes the mathematics. */
import { z } from 'zod';
import { account, count, decimal, decimalUpTo, device, fraction, hash, label } from './fields.ts';
import { lineageSchema, sharePolicySchema } from './lineage.ts';

const model = z.strictObject({
  vocab: count(65_536),
  hidden: count(65_536),
  layers: count(1024),
  heads: count(1024),
  kvHeads: count(1024),
  feedForward: count(1_048_576),
  context: count(4096),
  ropeTheta: count(1_000_000_000),
  normEpsilon: decimal,
  tied: z.boolean(),
});

/** Inner steps of a run. */
const steps = count(1_000_000_000);
/** The part of the rate that is left in the end. Above 0, since a run may go on beyond the planned steps. */
const finalRate = decimalUpTo(1);

const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({ kind: z.literal('cosine'), steps, finalRate }),
  /** Constant until `decaySteps` before `steps`. */
  z.strictObject({
    kind: z.literal('wsd'),
    steps,
    decaySteps: steps,
    finalRate,
    shape: z.enum(['linear', 'sqrt']),
  }),
]);

/** AdamW's, and what holds for both. */
const shared = {
  learningRate: decimalUpTo(10),
  beta1: fraction,
  beta2: fraction,
  epsilon: decimalUpTo(1),
  weightDecay: decimalUpTo(10, { orZero: true }),
  /** Whether embedding and head decay like the other matrices. */
  decayEmbeddings: z.boolean(),
  /** Largest global norm of a step's gradient. */
  clipNorm: decimalUpTo(1_000_000),
  /** Weight of the mean of log² Σ exp(logits). */
  zLoss: decimalUpTo(1, { orZero: true }),
  /** Steps over which a device's rate rises from zero, at the start of the run. */
  warmupSteps: count(1_000_000),
  /** The same for a device whose moments start from zeros. */
  joinerWarmupSteps: count(1_000_000),
  schedule,
};

const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('adamw'), ...shared }),
  /** Muon on the blocks' matrices, AdamW elsewhere. */
  z.strictObject({ kind: z.literal('muon'), ...shared, momentum: fraction, updateRms: decimalUpTo(10) }),
]);

const codec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dense'), block: z.literal(4096) }),
  /** `keep` of `chunk` changes. */
  z.strictObject({
    kind: z.literal('sparse'),
    chunk: z.literal(4096),
    keep: count(128),
    errorDecay: decimal,
    /** ρ: a trainer starts less this share of its error memory, in round `aheadFrom` (default 1) and later; absent, at the base. */
    ahead: fraction.optional(),
    aheadFrom: count(1_000_000).optional(),
  }),
]);

/** Accounts that the tickets of one senior member may let in; 0: the creator's alone count. */
const perMember = z.int().min(0).max(65_536);

const admission = z.discriminatedUnion('kind', [
  /** Whoever shows a ticket. */
  z.strictObject({ kind: z.literal('invite'), perMember }),
  /** These accounts, and those that a ticket names. */
  z.strictObject({ kind: z.literal('list'), accounts: z.array(account).max(512), perMember }),
]);

const milliseconds = count(86_400_000);

export const charterSchema = z.strictObject({
  protocol: z.literal(1),
  name: label(64),
  creator: account,
  /** Orders the log in the first term: the creator's device. */
  sequencer: device,
  nonce: hash,
  licence: label(64),
  model,
  /** Parameters of the model: N. Everything that is allocated for a peer is a multiple of it. */
  parameters: count(2 ** 31),
  tokenizer: hash,
  dataset: z.strictObject({
    manifest: hash,
    manifestBytes: count(2 ** 28),
    /** Merkle root over the training shards, then over the hold-out shards. */
    trainRoot: hash,
    holdoutRoot: hash,
    /** Rows of `model.context` tokens. */
    trainRows: count(2 ** 30),
    holdoutRows: count(2 ** 30),
  }),
  /** `muon` where the optimizer is, `accumulate` where there are micro-batches; `optimizer` is AdamW's. */
  programs: z.strictObject({
    train: hash,
    optimizer: hash,
    norm: hash,
    evaluate: hash,
    muon: hash.optional(),
    accumulate: hash.optional(),
  }),
  initialBase: hash,
  /** The artifacts that stand for optimizer moments and error memory of nothing but zeros. */
  zeroMoments: hash,
  zeroError: hash,
  /** Rows in one inner step. */
  batchRows: count(4096),
  /**
   * Rows in a micro-batch: the gradient of a step is the mean of those of its micro-batches, added in the order of their
   * rows. Absent: all rows at once.
   */
  microRows: count(2048).optional(),
  /** H: inner steps in a round, a multiple of S. */
  stepsPerRound: count(100_000),
  /** S: inner steps in a segment, the unit that is audited and paid. */
  stepsPerSegment: count(100_000),
  optimizer,
  codec,
  aggregator: z.strictObject({
    kind: z.literal('clipped-mean'),
    /** α: next base = start − α·aggregate. */
    outerRate: decimal,
    /** μ: a round starts from base + μ·(base − the one before); absent, from the base. */
    momentum: fraction.optional(),
  }),
  engine: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.enum(['native', 'webgpu']),
      /** Largest distance of a re-executed segment, parts per million of the change, per tensor. */
      tolerancePpm: z.int().min(0).max(1_000_000),
      /** The measurement from which the tolerance follows: see `calibration.ts` in `verify`. */
      calibration: hash,
    }),
    // Other bits are a mismatch, however near.
    z.strictObject({ kind: z.literal('exact'), tolerancePpm: z.literal(0) }),
  ]),
  timing: z.strictObject({
    /** How long a round stays open for members to become ready, once there are enough. */
    openMs: milliseconds,
    trainMs: milliseconds,
    revealMs: milliseconds,
    witnessMs: milliseconds,
    finalizeMs: milliseconds,
    /** Wait for the rest after a quorum: this, or half of the time that the quorum took, whichever is longer. */
    graceMs: milliseconds,
    /** For the trainer to open its trace, and for the auditor to answer. */
    openTraceMs: milliseconds,
    auditMs: milliseconds,
  }),
  committee: z.strictObject({
    /** Fewer ready members than this, and no round opens. */
    minMembers: z.int().min(2).max(64),
    /** An attestation names each update, and fits a record. */
    maxTrainers: count(900),
    maxWitnesses: count(900),
  }),
  /** Where absent, nobody leases and nobody stands in for a trainer that has vanished. */
  lease: z
    .strictObject({
      /** A trainer shows itself to the keepers this often. */
      everyMs: milliseconds,
      /** Silence after which a keeper says so. */
      lapseMs: milliseconds,
      /** Members at most that stand by for the seats of those who vanish. */
      reserves: count(900),
    })
    .optional(),
  audit: z.strictObject({
    /** Probability of an audit falls from one to this with clean audits. */
    floorPpm: count(1_000_000),
    /** Witnesses measure whom updates help, and who helps little is audited more often. */
    scores: z.literal(true).optional(),
  }),
  succession: z.strictObject({
    /** Without an entry for so long, electors vote for the next term; a sequencer says something three times as often. */
    silenceMs: milliseconds,
    /** Finished rounds after which the role goes on to another by itself; 0: it stays where it is. */
    everyRounds: z.int().min(0).max(1_000_000),
    /** Rounds of one term in which an elector has seen a record left out that the rules would take, until it votes; absent: never. */
    complaintRounds: count(1000).optional(),
  }),
  /** Who may join; everybody where it is absent. */
  admission: admission.optional(),
  credit: z.strictObject({
    perSegment: count(1_000_000),
    vestingRounds: count(1000),
  }),
  /** What forks of this run owe to its accounts; nothing where it is absent. */
  sharePolicy: sharePolicySchema.optional(),
  /** Where this run goes on from a header of another. */
  lineage: lineageSchema.optional(),
});

export type Charter = z.infer<typeof charterSchema>;
export type CodecRules = Charter['codec'];
export type AdmissionRules = NonNullable<Charter['admission']>;
export type OptimizerRules = Charter['optimizer'];
