/** Forking: a new run's charter from a parent's, at one of its sealed headers. */
import { type AccountId, type DeviceId, type Hash, sha256, WorldError } from '@folkmoot/core';
import { buildDataset, type Dataset, type LeftOut, type SourceDocument } from '@folkmoot/data';
import type { Tokenizer } from '@folkmoot/model';
import { type Ancestry, creditBytes } from '@folkmoot/protocol';
import {
  type AdmissionRules,
  brokenLineage,
  type Charter,
  carriedPoints,
  charterBytes,
  headerId,
  MAX_LINEAGE_BYTES,
  runId,
} from '@folkmoot/records';
import { charterOf, datasetRules } from './found-run.ts';
import type { RunRules } from './presets.ts';
import { runPrograms } from './tensor-work.ts';

export interface Forking {
  readonly parent: Charter;
  /** What the parent's log shows of the header at which the fork begins. */
  readonly ancestry: Ancestry;
  readonly name: string;
  readonly creator: AccountId;
  readonly sequencer: DeviceId;
  /** Makes two forks of one header different. */
  readonly nonce: Hash;
  readonly rules: RunRules;
  readonly admission?: AdmissionRules;
  /** Other data than the parent's, in the parent's tokens. */
  readonly data?: {
    readonly documents: readonly SourceDocument[];
    readonly leftOut: readonly LeftOut[];
    readonly tokenizer: Tokenizer;
  };
}

export interface Forked {
  readonly charter: Charter;
  /** New ones: the base, the tokenizer and the parent's data are filed by whoever has them. */
  readonly artifacts: readonly Uint8Array[];
  /** Present where the data is new. */
  readonly dataset?: Dataset;
}

/** The rules of a run that stands, in the form of a preset. */
export function rulesOfRun(charter: Charter): RunRules {
  const rules = Object.fromEntries(
    RULES.flatMap((name) => (charter[name] === undefined ? [] : [[name, charter[name]]])),
  );
  return rules as unknown as RunRules;
}

const RULES = [
  'model',
  'batchRows',
  'microRows',
  'stepsPerRound',
  'stepsPerSegment',
  'optimizer',
  'codec',
  'aggregator',
  'engine',
  'timing',
  'committee',
  'lease',
  'audit',
  'succession',
  'credit',
  'sharePolicy',
] as const satisfies readonly (keyof RunRules)[];

/** Throws `charter-invalid`; `lineage-broken` where the rules are not what the parent asks of its forks; `lineage-too-long`. */
export function forkRun(forking: Forking): Forked {
  const { parent, ancestry, rules, data } = forking;
  const dataset =
    data && buildDataset(data.documents, data.tokenizer, { context: rules.model.context, leftOut: data.leftOut });
  const programs = runPrograms(rules);
  const { header, pedigree } = ancestry;
  const credits = carriedPoints(parent) > 0 ? creditBytes(ancestry) : undefined;
  for (const bytes of [pedigree, credits]) if (bytes && bytes.length > MAX_LINEAGE_BYTES) throw tooLong(bytes.length);
  const charter = charterOf(
    { ...forking, licence: parent.licence },
    {
      tokenizer: parent.tokenizer,
      dataset: dataset ? datasetRules(dataset) : parent.dataset,
      programs,
      initialBase: header.nextBase,
      lineage: {
        parent: runId(parent),
        header: headerId(header),
        round: header.round,
        pedigree: artifactOf(pedigree),
        ...(credits && { credits: artifactOf(credits) }),
      },
    },
  );
  const reason = brokenLineage(charter, parent);
  if (reason !== undefined) throw broken(reason);
  const shards = dataset ? [dataset.manifestBytes, ...dataset.shards.map(({ bytes }) => bytes)] : [];
  const programBytes = Object.values(programs).map(({ bytes }) => bytes);
  const papers = [charterBytes(parent), pedigree, ...(credits ? [credits] : [])];
  return { charter, dataset, artifacts: [charterBytes(charter), ...papers, ...programBytes, ...shards] };
}

const artifactOf = (bytes: Uint8Array) => ({ id: sha256(bytes), bytes: bytes.length });

function broken(reason: string): WorldError {
  return new WorldError('lineage-broken', `This would be no fork that anybody may join: ${reason}.`, {
    help: 'Leave out the rule that it names. A run without lineage is founded with "folkmoot create --from".',
  });
}

function tooLong(bytes: number): WorldError {
  return new WorldError('lineage-too-long', 'What proves this header is larger than a fork may bring.', {
    facts: { bytes, most: MAX_LINEAGE_BYTES },
    help: 'Fork an earlier round, or go on from the model alone: "folkmoot export", then "folkmoot create --from".',
  });
}
