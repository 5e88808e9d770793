/** What a replay works with: the run's programs on an engine here, and artifacts by their name. */
import { availableParallelism } from 'node:os';
import type { DeviceId, Hash } from '@folkmoot/core';
import { MAX_MANIFEST_BYTES } from '@folkmoot/data';
import { artifactSizes, readManifest, TensorWork } from '@folkmoot/node';
import type { Engine, EngineKind, MemoryPlan } from '@folkmoot/tensor';
import { startEngine } from '@folkmoot/tensor/node';
import type { OpenRun } from './open-run.ts';
import type { RunStore } from './run-store.ts';

export interface ReplayBench {
  readonly run: OpenRun;
  readonly engine: Engine;
  readonly work: TensorWork;
  readonly manifest: ReturnType<typeof readManifest>;
  getShard(id: Hash): Promise<Uint8Array>;
  /** A state's part; `from`: who is likely to have it. */
  params(id: Hash, what: string, from?: readonly DeviceId[]): Promise<Uint8Array>;
  moments(id: Hash, what: string, from?: readonly DeviceId[]): Promise<Uint8Array>;
  error(id: Hash, what: string, from?: readonly DeviceId[]): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** `kind`: another engine than the charter's would be here. `plan`: as training here would spend memory. */
export async function openBench(
  run: OpenRun,
  store: RunStore,
  kind?: EngineKind,
  plan?: MemoryPlan,
): Promise<ReplayBench> {
  const { charter } = run;
  const { dataset } = charter;
  const sizes = artifactSizes(charter);
  const manifestBytes = await store.get(dataset.manifest, {
    what: 'the manifest of the data',
    maxBytes: Math.min(dataset.manifestBytes, MAX_MANIFEST_BYTES),
  });
  const manifest = readManifest(charter, manifestBytes);
  const shardBytes = new Map(
    [...manifest.train.shards, ...manifest.holdout.shards].map(({ id, tokens }) => [id, 2 * tokens]),
  );
  const getShard = (id: Hash) => store.get(id, { what: 'a shard of the data', maxBytes: shardBytes.get(id) ?? 0 });
  const engine = await startEngine(charter.engine.kind, kind, { threads: availableParallelism() });
  const work = new TensorWork(charter, engine, manifest, getShard, { plan });
  const part = (maxBytes: number) => (id: Hash, what: string, from?: readonly DeviceId[]) =>
    store.get(id, { what, maxBytes, from });
  return {
    run,
    engine,
    work,
    manifest,
    getShard,
    params: part(sizes.params),
    moments: part(sizes.moments),
    error: part(sizes.error),
    close: async () => {
      await work.close();
      await engine.close();
    },
  };
}
