/** `generate` in full: finds the base, loads the model, writes as it comes. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Hash, shortId, WorldError } from '@folkmoot/core';
import { MAX_TOKENIZER_BYTES, Tokenizer } from '@folkmoot/model';
import { artifactSizes } from '@folkmoot/node';
import { type Completion, checkSampling, generate, loadModel } from '@folkmoot/serve';
import { startEngine } from '@folkmoot/tensor/node';
import { readParams } from '@folkmoot/training';
import type { GenerateOptions } from '../commands/generate.ts';
import type { Invocation } from '../invocation.ts';
import { parseCount } from '../run/take-part.ts';
import { painter } from '../ui/paint.ts';
import { openRun } from './open-run.ts';
import { RunStore } from './run-store.ts';
import { Story } from './story.ts';

export async function runGenerate(call: Invocation, options: GenerateOptions, prompt: string): Promise<void> {
  const sampling = {
    temperature: numberOf('--temperature', options.temperature),
    topK: numberOf('--top-k', options.topK),
    topP: numberOf('--top-p', options.topP),
  };
  checkSampling(sampling);
  const maxTokens = parseCount('--max-tokens', options.maxTokens);
  const seed = options.seed ?? randomBytes(4).toString('hex');
  const run = await openRun(call.home, options.run);
  const base = chooseBase(await Story.read(run), options);
  const store = await RunStore.open(run, call);
  try {
    const { params, tokenizer } = await loadParts(store, run.charter, base);
    const engine = await startEngine(run.charter.engine.kind, undefined, { threads: availableParallelism() });
    try {
      const model = await loadModel({ engine, config: run.charter.model, params, tokenizer });
      const signal = call.stopSignal();
      const pieces = generate(model, prompt, { ...sampling, maxTokens, seed, signal });
      const { text, completion } = await write(call, prompt, pieces);
      call.object({ text, prompt, ...completion, seed, ...sampling, baseId: base, runId: run.note.run });
      await model.free();
    } finally {
      await engine.close();
    }
  } finally {
    await store.close();
  }
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new WorldError('bad-number', `${option} takes a number, not "${text}".`, {
    help: 'Give a number, or leave the option out.',
  });
}

/** The parameters of `base` and the run's tokenizer, checked. Throws `artifact-unavailable`, `base-unusable`. */
export async function loadParts(
  store: RunStore,
  charter: Parameters<typeof artifactSizes>[0],
  base: Hash,
): Promise<{ params: Float32Array; tokenizer: Tokenizer }> {
  const bytes = await store.get(base, { what: 'the base', maxBytes: artifactSizes(charter).params });
  const params = readParams(bytes, charter.parameters);
  if (!params.ok)
    throw new WorldError('base-unusable', `This base cannot be used: ${params.reason}`, { facts: { base } });
  const json = await store.get(charter.tokenizer, { what: 'the tokenizer', maxBytes: MAX_TOKENIZER_BYTES });
  return { params: params.value, tokenizer: Tokenizer.fromJson(json) };
}

/** The base that is asked for, the newest by default. Throws `no-such-base`. */
export function chooseBase({ rounds, run, state }: Story, options: Pick<GenerateOptions, 'base' | 'round'>): Hash {
  if (options.base === undefined && options.round === undefined) return state.base;
  const round = options.round === undefined ? undefined : parseCount('--round', options.round, 0);
  const all = rounds.bases(run.charter.initialBase);
  const found = all.filter(
    (one) =>
      one.base.startsWith(options.base?.toLowerCase() ?? '') && (round === undefined || (one.round ?? 0) === round),
  );
  const ids = new Set(found.map(({ base }) => base));
  if (ids.size === 1) return found[0]!.base;
  throw new WorldError('no-such-base', ids.size > 1 ? 'More than one base starts so.' : 'This run has no such base.', {
    facts: {
      bases: all
        .slice(-12)
        .map(({ base, round }) => `${shortId(base)} (round ${round ?? 0})`)
        .join(', '),
    },
    help: 'Give the number of a finished round (0: before the first), or the first digits of a base.',
  });
}

/** The prompt, then what the model adds. */
async function write(
  call: Invocation,
  prompt: string,
  pieces: AsyncGenerator<string, Completion>,
): Promise<{ text: string; completion: Completion }> {
  const isTerminal = process.stdout.isTTY === true;
  const put = (text: string) => void (call.json || process.stdout.write(text));
  const show = (text: string) => put(isTerminal ? tame(text) : text);
  if (prompt !== '') put(painter(call.color)('bold', isTerminal ? tame(prompt) : prompt));
  let text = '';
  for (;;) {
    const next = await pieces.next();
    if (next.done) {
      show('\n');
      return { text, completion: next.value };
    }
    text += next.value;
    show(next.value);
  }
}

/** A model says what strangers' text taught it: nothing in that may drive the terminal. */
function tame(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD');
}
