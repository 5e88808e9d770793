/** Founds a run, or finds the one that the same command founded here before. */
import type { Hash } from '@folkmoot/core';
import { runId } from '@folkmoot/records';
import type { AdmissionOptions } from '../commands/admission-options.ts';
import type { CharterOptions, ListenOptions, MemberOptions } from '../commands/member-options.ts';
import type { Invocation } from '../invocation.ts';
import { admissionOf } from './admission-of.ts';
import { parsePort } from './door.ts';
import { exchangeOptionsOf } from './exchange-of.ts';
import { commandOf, type FoundingOptions, found } from './found.ts';
import { shapeOf } from './model-shape.ts';
import { optimizerOptionsOf } from './optimizer-of.ts';
import type { Entrance } from './participation.ts';
import { readRulesFile } from './rules-file.ts';
import { currentRun } from './run-folder.ts';
import { type OpenHome, openHome, reachOf } from './session.ts';
import { parseCount, parseSize } from './take-part.ts';

type Options = CharterOptions &
  Partial<AdmissionOptions> &
  Pick<MemberOptions, 'port' | 'rounds' | 'memory'> &
  Pick<ListenOptions, 'listen' | 'announce' | 'relay' | 'upnp'> & {
    readonly fresh?: boolean;
    readonly minMembers: string;
  };

/** Opens the home and either resumes or founds; so many `members` will share this machine's memory. Throws what founding throws, with the home closed again. */
export async function createOrResume(
  call: Invocation,
  options: Options,
  name: string,
  members = 1,
): Promise<{ open: OpenHome; entrance: Entrance; resumed: boolean }> {
  const { data, textColumn, batchRows, microRows, engine, licence, runName, minMembers } = options;
  const { start, ...shape } = await shapeOf(options);
  const founding = {
    ...shape,
    // Where it lies is what a command says; what is there is read when a run is founded.
    from: options.from,
    rules: options.rules === undefined ? undefined : await readRulesFile(options.rules),
    data,
    textColumn,
    // Said only where it differs, so that a command from before these options goes on with its run.
    qualityFilters: options.qualityFilters ? undefined : (false as const),
    keepNearDuplicates: options.keepNearDuplicates,
    batchRows,
    microRows,
    engine,
    licence,
    runName,
    minMembers: parseCount('--min-members', minMembers, 2),
    admission: admissionOf(options),
    ...exchangeOptionsOf(options),
    ...optimizerOptionsOf(options),
  };
  const command = commandOf(name, founding);
  const former = options.fresh ? undefined : await currentRun(call.home).catch(() => undefined);
  const resumed = former?.command === command;
  const port = options.port === undefined ? undefined : parsePort('--port', options.port);
  const open = await openHome(
    { home: call.home, host: options.listen, port, announce: options.announce, reach: reachOf(options) },
    resumed ? former.run : undefined,
  );
  if (resumed) {
    call.note(
      `going on with run ${former.run.slice(0, 10)}, which this command founded here; --fresh founds a new one`,
    );
    return { open, entrance: former, resumed };
  }
  try {
    // `up` on its own shares public text with members on this machine only.
    const asks = name === 'create' || data !== undefined;
    const memoryBytes = options.memory === undefined ? undefined : parseSize(options.memory);
    const run = await foundedRun(call, open, { ...founding, start, asks, memory: { memoryBytes, members } });
    return { open, entrance: { run, name: runName, doors: [], command }, resumed };
  } catch (error) {
    await open.network.close();
    await open.release();
    throw error;
  }
}

/** Founds in a function of its own: what it leaves behind, several times the data, can be freed when it has returned. */
async function foundedRun(call: Invocation, { identity }: OpenHome, options: FoundingOptions): Promise<Hash> {
  const { charter } = await found(call, identity, options);
  return runId(charter);
}
