/** The model's answer to a prompt, from a session that is open. */

import { WorldError } from '@folkmoot/core';
import { Tokenizer } from '@folkmoot/model';
import { generate, loadModel } from '@folkmoot/serve';
import { readParams } from '@folkmoot/training';
import type { Session } from './session.ts';

const ANSWER_TOKENS = 40;

/** Continues `prompt` with the current base. Greedy choices of a young model repeat themselves, so it samples, with a fixed seed. */
export async function answer(
  { charter, member, store, engine }: Session,
  prompt: string,
  signal: AbortSignal,
): Promise<string> {
  const params = readParams(await store.get(member.log.state.base), charter.parameters);
  if (!params.ok) throw new WorldError('artifact-corrupt', `The current base cannot be used: ${params.reason}`);
  const tokenizer = Tokenizer.fromJson(await store.get(charter.tokenizer));
  const model = await loadModel({ engine, config: charter.model, params: params.value, tokenizer });
  let text = '';
  for await (const piece of generate(model, prompt, { maxTokens: ANSWER_TOKENS, temperature: 0.7, topK: 40, signal }))
    text += piece;
  await model.free();
  return text;
}
