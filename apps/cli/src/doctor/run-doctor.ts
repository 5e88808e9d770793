/** `doctor`: looks, measures, foretells, and says what to do. Takes a few seconds. */
import { WorldError } from '@folkmoot/core';
import type { PresetName } from '@folkmoot/model';
import { RUN_PRESETS } from '@folkmoot/node';
import type { EngineKind } from '@folkmoot/tensor';
import { createEngine, detectProviders } from '@folkmoot/tensor/node';
import type { Invocation } from '../invocation.ts';
import { describeMachine } from './describe-machine.ts';
import { diagnose } from './diagnose.ts';
import type { Engines, Examination, MachineDescription, Speed } from './examination.ts';
import { examinationLines } from './examination-lines.ts';
import { findEngines, type OpenEngine } from './find-engines.ts';
import { forecast } from './forecast.ts';
import { measureSpeed } from './measure.ts';

/** Where the doctor looks; other eyes in tests. */
export interface Eyes {
  readonly describe: (home: string) => Promise<MachineDescription>;
  readonly open: OpenEngine;
  readonly detect: typeof detectProviders;
  readonly measure: typeof measureSpeed;
}

const EYES: Eyes = { describe: describeMachine, open: createEngine, detect: detectProviders, measure: measureSpeed };

/** Prints the examination. Exit status 0 where a member can run, 1 where not. */
export async function runDoctor(call: Invocation, eyes: Eyes = EYES): Promise<void> {
  const examination = await examine(call.home, eyes, (step) => call.note(`${step} …`), call.stopSignal());
  call.object(examination);
  for (const line of examinationLines(examination, call.color)) call.say(line);
  if (!examination.canRun) process.exitCode = 1;
}

export async function examine(
  home: string,
  eyes: Eyes,
  onStep: (step: string) => void,
  signal: AbortSignal,
): Promise<Examination> {
  const machine = await eyes.describe(home);
  onStep('looking for engines');
  const engines = await findEngines(eyes.open, eyes.detect);
  signal.throwIfAborted();
  onStep('measuring for a second');
  const measured = await measureBest(engines, eyes, signal);
  const presets = Object.keys(RUN_PRESETS) as PresetName[];
  const forecasts = measured
    ? presets.map((preset) => forecast(preset, measured.engine, measured, machine.availableBytes))
    : [];
  const problems = diagnose(machine, engines, forecasts);
  return { machine, engines, measured, forecasts, problems, canRun: !problems.some(({ fatal }) => fatal) };
}

/** On the engine that a run of class `native` would use here. */
async function measureBest(
  engines: Engines,
  { open, measure }: Eyes,
  signal: AbortSignal,
): Promise<(Speed & { engine: EngineKind }) | undefined> {
  const kind = (['webgpu', 'native', 'exact'] as const).find((candidate) => engines[candidate].works);
  if (!kind) return undefined;
  const engine = await open(kind);
  try {
    return { engine: kind, ...(await measure(engine, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    throw new WorldError('engine-run', `The ${kind} engine starts, but does not train.`, {
      facts: { engine: engine.name, reason: String((error as Error).message) },
      help: 'Free some memory and try again; if that changes nothing, report it with these lines.',
      cause: error,
    });
  } finally {
    await engine.close();
  }
}
