/** Founding a run: from documents and rules to a charter and the artifacts that members start with. */
import { type AccountId, bytesOf, type DeviceId, type Hash, hashOf, sha256, WorldError } from '@folkmoot/core';
import { buildDataset, type Dataset, type LeftOut, type SourceDocument } from '@folkmoot/data';
import { initialParameters, parameterLayout, Tokenizer } from '@folkmoot/model';
import { type AdmissionRules, brokenRule, type Charter, charterBytes, charterSchema } from '@folkmoot/records';
import type { RunRules } from './presets.ts';
import { runPrograms, zeroIds } from './tensor-work.ts';

export interface Founding {
  readonly name: string;
  readonly creator: AccountId;
  readonly sequencer: DeviceId;
  /** Makes two runs with the same rules different. */
  readonly nonce: Hash;
  /** SPDX id under which the model is given to its users. */
  readonly licence: string;
  readonly rules: RunRules;
  /** Who may join; everybody where it is absent. */
  readonly admission?: AdmissionRules;
  readonly documents: readonly SourceDocument[];
  /** What to go on from, instead of a new vocabulary and random parameters; the caller files the base. */
  readonly start?: { readonly tokenizer: Tokenizer; readonly base: Hash };
  /** What `prepareDocuments` has left out of them; default nothing. */
  readonly leftOut?: readonly LeftOut[];
  /** Told before each long step. */
  readonly onStep?: (step: string) => void;
}

export interface Founded {
  readonly charter: Charter;
  readonly dataset: Dataset;
  readonly tokenizer: Tokenizer;
  /** Everything that a joiner fetches, and the charter itself. */
  readonly artifacts: readonly Uint8Array[];
}

/** Text that the tokenizer learns from: more changes nothing that shows. */
const TOKENIZER_BYTES = 8e6;

/** Throws what the tokenizer and the dataset throw on too little data, and `model-config`. */
export function foundRun(founding: Founding): Founded {
  const { rules, documents, start, onStep = () => {} } = founding;
  if (!start) onStep(`learning a vocabulary of ${rules.model.vocab} tokens`);
  const tokenizer = start?.tokenizer ?? Tokenizer.train(sample(documents, TOKENIZER_BYTES), rules.model.vocab);
  onStep('encoding the documents');
  const dataset = buildDataset(documents, tokenizer, { context: rules.model.context, leftOut: founding.leftOut });
  onStep('writing the programs');
  const programs = runPrograms(rules);
  const base = start ? undefined : bytesOf(initialParameters(rules.model, hashOf('initial', founding.nonce)));
  const charter = charterOf(founding, {
    tokenizer: tokenizer.id,
    dataset: datasetRules(dataset),
    programs,
    initialBase: base ? sha256(base) : start!.base,
  });
  const shards = dataset.shards.map((shard) => shard.bytes);
  const programBytes = Object.values(programs).map((program) => program.bytes);
  return {
    charter,
    dataset,
    tokenizer,
    artifacts: [
      charterBytes(charter),
      dataset.manifestBytes,
      ...shards,
      tokenizer.toJson(),
      ...programBytes,
      ...(base ? [base] : []),
    ],
  };
}

/** What the charter says of a dataset. */
export function datasetRules({ manifest, manifestId, manifestBytes }: Dataset): Charter['dataset'] {
  return {
    manifest: manifestId,
    manifestBytes: manifestBytes.length,
    trainRoot: manifest.train.root,
    holdoutRoot: manifest.holdout.root,
    trainRows: manifest.train.rows,
    holdoutRows: manifest.holdout.rows,
  };
}

/** Puts a charter together and checks it. Throws `charter-invalid`. */
export function charterOf(
  { name, creator, sequencer, nonce, licence, rules, admission }: Omit<Founding, 'documents'>,
  parts: Pick<Charter, 'tokenizer' | 'dataset' | 'initialBase' | 'lineage'> & {
    readonly programs: ReturnType<typeof runPrograms>;
  },
): Charter {
  const { tokenizer, dataset, initialBase, lineage, programs } = parts;
  const charter: Charter = {
    protocol: 1,
    ...{ name, creator, sequencer, nonce, licence },
    ...rules,
    ...(admission && { admission }),
    parameters: parameterLayout(rules.model).elements,
    tokenizer,
    dataset,
    programs: {
      train: programs.train.id,
      optimizer: programs.optimizer.id,
      norm: programs.norm.id,
      evaluate: programs.evaluate.id,
      ...(programs.muon && { muon: programs.muon.id }),
      ...(programs.accumulate && { accumulate: programs.accumulate.id }),
    },
    initialBase,
    ...zeroIds(rules),
    ...(lineage && { lineage }),
  };
  checkFounding(charter);
  return charter;
}

function checkFounding(charter: Charter): void {
  const parsed = charterSchema.safeParse(charter);
  const reason = parsed.success
    ? brokenRule(charter)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  if (reason !== undefined)
    throw new WorldError('charter-invalid', `These rules make no run: ${reason}.`, {
      help: 'Change the option that it names.',
    });
}

/** Documents spread over the whole until `limitBytes`. */
function* sample(documents: readonly SourceDocument[], limitBytes: number): Generator<string> {
  const total = documents.reduce((sum, document) => sum + document.bytes, 0);
  const every = Math.max(1, Math.ceil(total / limitBytes));
  for (const [i, document] of documents.entries()) if (i % every === 0) yield document.text;
}
