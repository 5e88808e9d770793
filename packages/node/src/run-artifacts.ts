/** What a member needs before it can work: the charter, the data, the tokenizer, the programs. Fetched by name, checked. */
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import { type DatasetManifest, parseManifest } from '@folkmoot/data';
import { MAX_TOKENIZER_BYTES, parameterLayout } from '@folkmoot/model';
import { type Charter, parseCharter } from '@folkmoot/records';
import type { Artifacts } from './artifacts.ts';
import type { Notice } from './notices.ts';
import { runPrograms } from './tensor-work.ts';

export const MAX_CHARTER_BYTES = 64 * 1024;

/** The charter of `run`, from disk or from the members. Throws `charter-invalid` where its creator broke the rules. */
export async function fetchCharter(artifacts: Artifacts, run: Hash, signal?: AbortSignal): Promise<Charter> {
  const parsed = parseCharter(await artifacts.get(run, { maxBytes: MAX_CHARTER_BYTES, signal }), run);
  const reason = parsed.ok ? wrongSize(parsed.value) : parsed.reason;
  if (parsed.ok && reason === undefined) return parsed.value;
  throw new WorldError('charter-invalid', `This run’s charter cannot be used: ${reason}.`, {
    facts: { run },
    help: 'The run may need a newer version of Folkmoot; otherwise leave it alone.',
  });
}

/** Sizes of states are taken from `parameters` before the model is built: it must be the model's. */
function wrongSize({ model, parameters }: Charter): string | undefined {
  const { elements } = parameterLayout(model);
  return elements === parameters ? undefined : `it says ${parameters} parameters, and its model has ${elements}`;
}

export interface RunData {
  readonly manifest: DatasetManifest;
  /** Ids of all artifacts that must stay for the whole run. */
  readonly pinned: readonly Hash[];
}

/** Fetches manifest, shards and tokenizer, and files the programs that this version builds. */
export async function fetchRunData(
  artifacts: Artifacts,
  charter: Charter,
  notify: (notice: Notice) => void = () => {},
  signal?: AbortSignal,
): Promise<RunData> {
  const { dataset, tokenizer } = charter;
  const manifest = readManifest(
    charter,
    await artifacts.get(dataset.manifest, { maxBytes: dataset.manifestBytes, signal }),
  );
  await artifacts.ensure(tokenizer, { maxBytes: MAX_TOKENIZER_BYTES, signal });
  const shards = [...manifest.train.shards, ...manifest.holdout.shards];
  const sizeBytes = shards.reduce((sum, shard) => sum + 2 * shard.tokens, 0);
  let doneBytes = 0;
  for (const shard of shards) {
    await artifacts.ensure(shard.id, { maxBytes: 2 * shard.tokens, signal });
    doneBytes += 2 * shard.tokens;
    notify({ kind: 'fetching', what: 'training data', doneBytes, sizeBytes });
  }
  const programs = Object.values(runPrograms(charter));
  for (const program of programs) await artifacts.store.put(program.bytes);
  return {
    manifest,
    pinned: [dataset.manifest, tokenizer, ...shards.map(({ id }) => id), ...programs.map(({ bytes }) => sha256(bytes))],
  };
}

/**
 * The manifest must be the one that the charter describes, or rows would not be what everybody thinks. Throws
 * `manifest-malformed`.
 */
export function readManifest({ dataset, model, tokenizer }: Charter, bytes: Uint8Array): DatasetManifest {
  const parsed = parseManifest(bytes);
  if (parsed.kind === 'reject') throw malformed(parsed.reason);
  const { manifest } = parsed;
  const agrees =
    manifest.train.root === dataset.trainRoot &&
    manifest.holdout.root === dataset.holdoutRoot &&
    manifest.train.rows === dataset.trainRows &&
    manifest.holdout.rows === dataset.holdoutRows &&
    manifest.context === model.context &&
    manifest.vocab <= model.vocab &&
    manifest.tokenizer === tokenizer;
  if (!agrees) throw malformed('it is not the one that the charter describes');
  return manifest;
}

function malformed(reason: string): WorldError {
  return new WorldError('manifest-malformed', `The manifest of this run’s data cannot be used: ${reason}.`, {
    help: 'The run’s creator published it so; leave this run.',
  });
}
