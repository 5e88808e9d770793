/** Which engines work here, each asked in the way in which it would be used. */
import { isWorldError } from '@folkmoot/core';
import type { Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine, findAdapters, nvidiaGpus } from '@folkmoot/tensor/node';
import type { EngineFinding, Engines } from './examination.ts';

/** Opens an engine; another one in tests. */
export type OpenEngine = (kind: EngineKind, options?: { threads?: number }) => Promise<Engine>;

/** Nothing stays open. */
export async function findEngines(open: OpenEngine = createEngine): Promise<Engines> {
  const native = await tryEngine(open, 'native');
  const exact = await tryEngine(open, 'exact');
  return { native, exact, webgpu: await findWebgpu(open), cuda: await findCuda() };
}

async function tryEngine(open: OpenEngine, kind: EngineKind): Promise<EngineFinding> {
  try {
    const engine = await open(kind, { threads: 1 });
    await engine.close();
    return { works: true, name: engine.name };
  } catch (error) {
    if (!isWorldError(error)) throw error;
    const { reason, found } = error.facts;
    return {
      works: false,
      reason: String(
        reason ?? (found ? `${error.message} It has the hash ${String(found).slice(0, 12)}.` : error.message),
      ),
      help: error.help,
    };
  }
}

/** Opened only where there is hardware: a software adapter takes seconds to start and is never the faster choice. */
async function findWebgpu(open: OpenEngine): Promise<EngineFinding> {
  const { adapters, reason } = await findAdapters();
  const gpu = adapters.find(({ software }) => !software);
  if (gpu) return tryEngine(open, 'webgpu');
  const software = adapters[0] ? `; there is ${adapters[0].name}, for tests` : '';
  return { works: false, reason: `${reason ?? 'no GPU was found'}${software}` };
}

async function findCuda(): Promise<EngineFinding> {
  const gpus = await nvidiaGpus();
  if (gpus.length === 0) return { works: false, reason: 'no NVIDIA GPU was found' };
  return {
    works: false,
    reason: `${gpus[0]!.name}: the CUDA part of onnxruntime-node is not in the package`,
    help: 'Its Vulkan driver is enough for the webgpu engine.',
  };
}
