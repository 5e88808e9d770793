/** Which engines work here, each asked in the way in which it would be used. */
import { isWorldError } from '@folkmoot/core';
import type { Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine, detectProviders } from '@folkmoot/tensor/node';
import type { EngineFinding, Engines } from './examination.ts';

/** Opens an engine; another one in tests. */
export type OpenEngine = (kind: EngineKind, options?: { threads?: number }) => Promise<Engine>;

/** Nothing stays open. */
export async function findEngines(
  open: OpenEngine = createEngine,
  detect: typeof detectProviders = detectProviders,
): Promise<Engines> {
  const native = await tryEngine(open, 'native');
  const exact = await tryEngine(open, 'exact');
  const providers = await detect();
  return { native, exact, webgpu: await findWebgpu(open, providers), cuda: findCuda(providers) };
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

type Providers = Awaited<ReturnType<typeof detectProviders>>;

/** Opened only where there is hardware: a software adapter takes seconds to start and is never the faster choice. */
async function findWebgpu(open: OpenEngine, providers: Providers): Promise<EngineFinding> {
  const reports = providers.filter(({ provider }) => provider === 'webgpu');
  if (reports.some(({ available, software }) => available && !software)) return tryEngine(open, 'webgpu');
  const reason = reports.find((report) => report.reason)?.reason ?? 'no GPU was found';
  const software = reports.find((report) => report.software)?.adapter;
  return { works: false, reason: software ? `${reason}; there is ${software}, for tests` : reason };
}

function findCuda(providers: Providers): EngineFinding {
  const report = providers.find(({ provider }) => provider === 'cuda');
  const card = report?.adapter ? `${report.adapter}: ` : '';
  return { works: false, reason: `${card}${report?.reason ?? 'not looked for on this system'}` };
}
