/** Founds a fork of a run, or finds the one that the same command founded before. */
import { randomBytes } from 'node:crypto';
import { formatBytes, type Hash, sha256, WorldError } from '@folkmoot/core';
import { MAX_TOKENIZER_BYTES, Tokenizer } from '@folkmoot/model';
import { artifactSizes, type Forked, forkRun, memoryPlan, readManifest, retell, rulesOfRun } from '@folkmoot/node';
import { type Ancestry, AncestryReader } from '@folkmoot/protocol';
import { type Charter, MAX_LINEAGE_BYTES, parseCharter, parseInvite, runId } from '@folkmoot/records';
import { JournalReader, openDiskStore, shareArtifacts } from '@folkmoot/store';
import type { AdmissionOptions } from '../commands/admission-options.ts';
import type { ListenOptions, MemberOptions, RulesOptions } from '../commands/member-options.ts';
import type { Identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { memoryBudget } from '../memory/memory-budget.ts';
import { type ForkPoint, forkPoint } from '../story/fork-point.ts';
import { type OpenRun, openRun } from '../story/open-run.ts';
import { RunStore } from '../story/run-store.ts';
import { Story } from '../story/story.ts';
import { formatCount } from '../ui/format.ts';
import { admissionOf } from './admission-of.ts';
import { parsePort } from './door.ts';
import { exchangeOptionsOf } from './exchange-of.ts';
import { fetchRun } from './fetch-run.ts';
import { forkHome, shareAccount } from './fork-home.ts';
import { commandOf, type RulesChoice, readChosen, rulesFrom, sharedData } from './found.ts';
import { optimizerOptionsOf } from './optimizer-of.ts';
import type { Entrance } from './participation.ts';
import { readRulesFile } from './rules-file.ts';
import { currentRun, findRun, runFolder } from './run-folder.ts';
import { type OpenHome, openHome, reachOf } from './session.ts';
import { parseCount, parseSize } from './take-part.ts';

const MAX_CHARTER_BYTES = 64 * 1024;

export interface ForkOptions extends RulesOptions, Partial<AdmissionOptions>, MemberOptions, ListenOptions {
  readonly at?: string;
  readonly run?: string;
  readonly invite?: string;
  readonly to?: string;
  readonly runName?: string;
  readonly minMembers?: string;
  readonly fresh?: boolean;
}

/** What was chosen for the fork beside its place. */
type Choice = RulesChoice &
  Pick<RulesOptions, 'data' | 'textColumn' | 'keepNearDuplicates'> & { qualityFilters?: false };

export interface ForkOpened {
  /** The invocation in the fork's home. */
  readonly there: Invocation;
  readonly open: OpenHome;
  readonly entrance: Entrance;
}

/** Throws what finding the parent and founding throw, with the fork's home closed again. */
export async function forkOrResume(call: Invocation, options: ForkOptions): Promise<ForkOpened> {
  const invite = options.invite === undefined ? undefined : parseInvite(options.invite);
  const parent = invite?.run ?? (await findRun(call.home, options.run)).run;
  const home = forkHome(call.home, parent, options);
  const there = { ...call, home };
  const choice = await choiceOf(options);
  const admission = options.admission === undefined ? undefined : (admissionOf(options) ?? 'open');
  const command = commandOf('fork', { parent, at: options.at, name: options.runName, admission, ...choice });
  const former = options.fresh ? undefined : await currentRun(home).catch(() => undefined);
  const resumed = former?.command === command;
  if (!resumed) await shareAccount(call.home, home);
  const port = options.port === undefined ? undefined : parsePort('--port', options.port);
  const open = await openHome(
    { home, host: options.listen, port, announce: options.announce, reach: reachOf(options) },
    resumed ? former.run : undefined,
  );
  if (resumed) {
    call.note(`going on with fork ${former.run.slice(0, 10)} in ${home}; --fresh founds a new one`);
    return { there, open, entrance: former };
  }
  try {
    if (invite) await fetchRun(there, home, invite);
    const parentRun = await openRun(invite ? home : call.home, parent);
    const charter = await found(there, parentRun, open.identity, options, choice);
    return { there, open, entrance: { run: runId(charter), name: charter.name, doors: [], command } };
  } catch (error) {
    await open.network.close();
    await open.release();
    throw error;
  }
}

async function choiceOf(options: ForkOptions): Promise<Choice> {
  const { data, textColumn, batchRows, microRows, engine, keepNearDuplicates, minMembers } = options;
  return {
    ...{ data, textColumn, batchRows, microRows, engine, keepNearDuplicates },
    rules: options.rules === undefined ? undefined : await readRulesFile(options.rules),
    qualityFilters: options.qualityFilters ? undefined : (false as const),
    minMembers: minMembers === undefined ? undefined : parseCount('--min-members', minMembers, 2),
    ...exchangeOptionsOf(options),
    ...optimizerOptionsOf(options),
  };
}

/** Puts the fork's charter together and files everything that its members fetch. */
async function found(
  there: Invocation,
  parent: OpenRun,
  identity: Identity,
  options: ForkOptions,
  choice: Choice,
): Promise<Charter> {
  const rules = rulesFrom(rulesOfRun(parent.charter), choice);
  const memoryBytes = options.memory === undefined ? undefined : parseSize(options.memory);
  memoryPlan(rules, await memoryBudget(rules.engine.kind, { memoryBytes }), true);
  const point = forkPoint(await Story.read(parent), options.at);
  there.note(`forking ${parent.charter.name} (${runId(parent.charter).slice(0, 10)}) at round ${point.round} …`);
  const source = await RunStore.open(parent, there);
  try {
    const forked = forkRun({
      parent: parent.charter,
      ancestry: await ancestryOf(parent, point),
      name: options.runName ?? parent.charter.name,
      creator: identity.account.id,
      sequencer: identity.device.id,
      nonce: sha256(randomBytes(32)),
      rules,
      // Who may join stays as it was, unless something else is said.
      admission: options.admission === undefined ? parent.charter.admission : admissionOf(options),
      data: choice.data && (await otherData(there, parent, source, choice, choice.data)),
    });
    await fileArtifacts(there, parent, source, forked);
    return forked.charter;
  } finally {
    await source.close();
  }
}

/** Folds the parent's log once more, up to the header. */
async function ancestryOf({ folder, charter, shares }: OpenRun, { header, round }: ForkPoint): Promise<Ancestry> {
  const reader = new AncestryReader(header, round);
  const lines = await new JournalReader(folder.journal).read();
  for (const { entry, events, state } of retell(charter, lines, shares)) {
    reader.take(entry, events, state);
    if (reader.found) return reader.found;
  }
  throw new WorldError('round-unfinished', 'The log was turned back while it was read.', {
    help: 'Electors have begun another term; try again.',
  });
}

async function otherData(
  there: Invocation,
  { charter }: OpenRun,
  source: RunStore,
  choice: Choice,
  paths: readonly string[],
): Promise<NonNullable<Parameters<typeof forkRun>[0]['data']>> {
  const { documents, leftOut } = await sharedData(there, choice, true, () =>
    readChosen(there, paths, choice.textColumn),
  );
  const bytes = await source.get(charter.tokenizer, { maxBytes: MAX_TOKENIZER_BYTES, what: 'the tokenizer' });
  return { documents, leftOut, tokenizer: Tokenizer.fromJson(bytes) };
}

/** What is new is put; what the parent's home has is shared; the rest is fetched from the parent's members. */
async function fileArtifacts(there: Invocation, parent: OpenRun, source: RunStore, forked: Forked): Promise<void> {
  const { charter, artifacts, dataset } = forked;
  const folder = runFolder(there.home, runId(charter));
  const wanted = new Map<Hash, { readonly maxBytes: number; readonly what: string }>([
    [charter.initialBase, { maxBytes: artifactSizes(charter).params, what: 'the base' }],
    [charter.tokenizer, { maxBytes: MAX_TOKENIZER_BYTES, what: 'the tokenizer' }],
    ...(dataset ? [] : await dataOf(charter, source)),
    ...(await papersOf(parent.charter, source)),
  ]);
  const missing = await shareArtifacts(parent.folder.store, folder.store, wanted.keys());
  const store = await openDiskStore({ path: folder.store });
  for (const bytes of artifacts) await store.put(bytes);
  for (const id of missing) await store.put(await source.get(id, wanted.get(id)!));
  const { lineage, dataset: rows } = charter;
  there.note(
    `run ${runId(charter).slice(0, 10)}: goes on from header ${lineage!.header.slice(0, 10)}, ${formatCount(rows.trainRows)} rows to train on; its papers are ${formatBytes(lineage!.pedigree.bytes + (lineage!.credits?.bytes ?? 0))}`,
  );
}

type Entries = [Hash, { maxBytes: number; what: string }][];

/** The parent's manifest and shards. */
async function dataOf(charter: Charter, source: RunStore): Promise<Entries> {
  const { manifest, manifestBytes } = charter.dataset;
  const what = 'the manifest';
  const { train, holdout } = readManifest(charter, await source.get(manifest, { maxBytes: manifestBytes, what }));
  return [
    [manifest, { maxBytes: manifestBytes, what }],
    ...[...train.shards, ...holdout.shards].map(({ id, tokens }): Entries[number] => [
      id,
      { maxBytes: 2 * tokens, what: 'a shard' },
    ]),
  ];
}

/** What the parent's own lineage rests on, where it is a fork too. */
async function papersOf(parent: Charter, source: RunStore): Promise<Entries> {
  const entries: Entries = [];
  for (let fork: Charter | undefined = parent; fork?.lineage; ) {
    const { parent: id, pedigree } = fork.lineage;
    const charter = { maxBytes: MAX_CHARTER_BYTES, what: 'an ancestor’s charter' };
    entries.push([id, charter], [pedigree.id, { maxBytes: MAX_LINEAGE_BYTES, what: 'an ancestor’s pedigree' }]);
    const parsed = parseCharter(await source.get(id, charter), id);
    fork = parsed.ok ? parsed.value : undefined;
  }
  return entries;
}
