/** `create` before the network: reads the data, founds the run, files its artifacts. */
import { randomBytes } from 'node:crypto';
import { formatBytes, sha256, utf8 } from '@folkmoot/core';
import { describeSummary, prepareDocuments } from '@folkmoot/data';
import {
  type DocumentsRead,
  defaultDocuments,
  MAX_DEFAULT_BYTES,
  type ReadProgress,
  readDocuments,
} from '@folkmoot/data/node';
import type { ModelConfig, PresetName } from '@folkmoot/model';
import {
  DEFAULT_DATA_BYTES,
  engineRules,
  type Founded,
  foundRun,
  memoryPlan,
  RUN_PRESETS,
  type RunRules,
  rulesForModel,
} from '@folkmoot/node';
import { type AdmissionRules, runId } from '@folkmoot/records';
import { openDiskStore } from '@folkmoot/store';
import type { EngineKind } from '@folkmoot/tensor';
import type { ExchangeOptions } from '../commands/exchange-options.ts';
import type { OptimizerOptions } from '../commands/optimizer-options.ts';
import type { Identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { memoryBudget } from '../memory/memory-budget.ts';
import { projectRoot } from '../project.ts';
import { formatCount } from '../ui/format.ts';
import { oneLine } from '../ui/width.ts';
import { type BatchOptions, batchOf } from './batch-of.ts';
import { exchangeOf } from './exchange-of.ts';
import type { ModelFolder } from './model-folder.ts';
import { optimizerOf } from './optimizer-of.ts';
import { changedRules, type RulesChange } from './rules-file.ts';
import { runFolder } from './run-folder.ts';

const PROGRESS_MS = 3000;

/** Options of `create` and `up` that make the charter. */
export interface FoundingOptions extends OptimizerOptions, ExchangeOptions, BatchOptions {
  /** Of the model, or the nearest in size: decides how much default data there is. */
  readonly preset: PresetName;
  /** Instead of the preset's. */
  readonly model?: ModelConfig;
  /** Weights and tokenizer to go on from. */
  readonly start?: ModelFolder;
  /** What differs from the preset's rules. */
  readonly rules?: RulesChange;
  readonly data?: readonly string[];
  readonly textColumn?: string;
  /** False to keep documents of low quality. */
  readonly qualityFilters?: false;
  readonly keepNearDuplicates?: true;
  readonly engine?: EngineKind;
  readonly licence: string;
  readonly runName: string;
  /** Whether a person must agree to sharing the data first. */
  readonly asks: boolean;
  /** Members that must be ready before the first round opens. */
  readonly minMembers?: number;
  /** Who may join; everybody where it is absent. */
  readonly admission?: AdmissionRules;
  /** What the members on this machine may use together; default: what is available, and one. */
  readonly memory?: { readonly memoryBytes?: number; readonly members?: number };
}

/** Throws what reading and founding throw; nothing is left behind then but the keys. */
export async function found(call: Invocation, identity: Identity, options: FoundingOptions): Promise<Founded> {
  // Before the data is read, which may take long.
  const rules = rulesOf(options);
  const members = options.memory?.members;
  memoryPlan(rules, { ...(await memoryBudget(rules.engine.kind, options.memory)), members }, true);
  const read = await sharedData(call, options, options.asks, () => readData(call, options));
  if (options.start) call.note('reading the weights …');
  const start = options.start && { tokenizer: options.start.tokenizer, base: await options.start.baseId() };
  const founded = foundRun({
    start,
    name: options.runName,
    creator: identity.account.id,
    sequencer: identity.device.id,
    nonce: sha256(randomBytes(32)),
    licence: options.licence,
    rules,
    admission: options.admission,
    documents: read.documents,
    leftOut: read.leftOut,
    onStep: (step) => call.note(`${step} …`),
  });
  const run = runId(founded.charter);
  const store = await openDiskStore({ path: runFolder(call.home, run).store });
  for (const bytes of founded.artifacts) await store.put(bytes);
  await options.start?.fileBase(store, founded.charter.initialBase);
  call.note(
    `run ${run.slice(0, 10)}: ${founded.charter.parameters.toLocaleString('en-US')} parameters, ${founded.charter.dataset.trainRows.toLocaleString('en-US')} rows to train on, ${formatBytes(founded.artifacts.reduce((sum, bytes) => sum + bytes.length, 0))} for a newcomer to fetch`,
  );
  return founded;
}

/** Reads and sorts out what members will train on, and asks whether it may be shared. Throws what reading throws, `declined`. */
export async function sharedData(
  call: Invocation,
  { qualityFilters, keepNearDuplicates }: Pick<FoundingOptions, 'qualityFilters' | 'keepNearDuplicates'>,
  asks: boolean,
  read: () => Promise<DocumentsRead>,
): Promise<ReturnType<typeof prepareDocuments>> {
  const { documents, summary } = await read();
  const prepared = prepareDocuments(documents, summary, {
    quality: qualityFilters,
    nearDuplicates: !keepNearDuplicates,
  });
  for (const line of describeSummary(prepared.summary)) call.note(line);
  call.note('Whoever holds the invite can read this data: members fetch it to train on it.');
  if (asks) await call.confirm('Share it with everybody who holds the invite?');
  return prepared;
}

function rulesOf({ preset, model, ...options }: FoundingOptions): RunRules {
  return rulesFrom(model === undefined ? RUN_PRESETS[preset] : rulesForModel(model), options);
}

/** Options that change rules, whichever they start from. */
export type RulesChoice = OptimizerOptions &
  ExchangeOptions &
  BatchOptions &
  Pick<FoundingOptions, 'rules' | 'engine' | 'minMembers'>;

/** `usual` with what was chosen in the place of theirs. Throws what each option throws on a wrong value. */
export function rulesFrom(usual: RunRules, options: RulesChoice): RunRules {
  const { engine, minMembers } = options;
  const { microRows, ...rules } = changedRules(usual, options.rules);
  return {
    ...rules,
    ...batchOf({ ...rules, microRows }, options),
    ...exchangeOf(rules, options),
    engine: engine === undefined ? rules.engine : engineRules(engine),
    optimizer: optimizerOf(rules, options),
    committee: { ...rules.committee, minMembers: minMembers ?? rules.committee.minMembers },
  };
}

function readData(
  call: Invocation,
  { data, textColumn, preset }: Pick<FoundingOptions, 'data' | 'textColumn' | 'preset'>,
): Promise<DocumentsRead> {
  if (data) return readChosen(call, data, textColumn);
  return defaultDocuments(projectRoot, Math.min(MAX_DEFAULT_BYTES, DEFAULT_DATA_BYTES[preset]));
}

/** What a person has named. */
export function readChosen(call: Invocation, data: readonly string[], textField?: string): Promise<DocumentsRead> {
  return readDocuments(data, { textField, onProgress: progressNotes(call) });
}

/** A line every few seconds: a reader of gigabytes must not seem to hang. */
function progressNotes(call: Invocation): (progress: ReadProgress) => void {
  let toldMs = performance.now();
  return ({ file, documents, bytes }) => {
    if (performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    call.note(`reading ${oneLine(file)}: ${formatCount(documents)} documents, ${formatBytes(bytes)} so far …`);
  };
}

/** Options in a form that can be compared: the same command goes on with the same run. */
export function commandOf(name: string, options: object): string {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return `${name} ${sha256(utf8(JSON.stringify(entries.sort()))).slice(0, 16)}`;
}
