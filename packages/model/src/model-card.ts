/** The README of an exported model: where it comes from, who made it, how to load and to check it. */
import type { Hash } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';

/** What the card tells besides the config; plain data, in the order in which it is to be shown. */
export interface Lineage {
  /** The run's name. */
  readonly name: string;
  /** The run's id: the hash of its charter. */
  readonly run: Hash;
  /** sha-256 of the parameters. */
  readonly base: Hash;
  /** Finished rounds behind the base. */
  readonly rounds: number;
  /** Of the weights: an SPDX identifier or `other`. */
  readonly licence: string;
  /** Nats per token on held-out text, as this node measured it. */
  readonly holdoutLoss?: number;
  readonly members: readonly { readonly id: string; readonly credits: number }[];
  readonly data: readonly { readonly licence: string; readonly documents: number; readonly bytes: number }[];
}

/** Markdown with the YAML head that the Hugging Face hub reads. `parameters`: the size of the arena. */
export function modelCard(config: ModelConfig, parameters: number, lineage: Lineage): string {
  const { name, run, base, rounds, holdoutLoss, members, data } = lineage;
  const loss =
    holdoutLoss === undefined ? '' : ` Its loss on held-out text is ${holdoutLoss.toFixed(4)} nats per token.`;
  return `---
license: ${quoted(lineage.licence.toLowerCase())}
library_name: transformers
pipeline_tag: text-generation
tags:
  - folkmoot
  - llama
---

# ${inline(name)}

A Llama-style decoder with ${parameters.toLocaleString('en-US')} parameters (${config.layers} layers, width ${config.hidden}, ${config.vocab.toLocaleString('en-US')} tokens, context ${config.context}), trained together in ${rounds} ${rounds === 1 ? 'round' : 'rounds'} by the members below, who need not trust each other: every credit stands for work that others could re-execute.${loss}

## Lineage

| | |
|---|---|
| run | \`${inline(run)}\` |
| base | \`${inline(base)}\` |
| rounds | ${rounds} |

## Members

${table(
  ['member', 'credits'],
  members.map(({ id, credits }) => [`\`${inline(id)}\``, String(credits)]),
)}

## Data

${table(
  ['licence', 'documents', 'bytes'],
  data.map(({ licence, documents, bytes }) => [inline(licence), String(documents), String(bytes)]),
)}

## Load

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
prompt = tokenizer("The", return_tensors="pt")
print(tokenizer.decode(model.generate(**prompt, max_new_tokens=40)[0]))
\`\`\`

## Check

The bytes behind the header of \`model.safetensors\` are the run's parameters; their sha-256 is the base above:

\`\`\`python
import hashlib

data = open("model.safetensors", "rb").read()
print(hashlib.sha256(data[8 + int.from_bytes(data[:8], "little"):]).hexdigest())
\`\`\`

A member of the run re-executes any part of the training with \`./folkmoot replay --random\`.
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Names come from other people: one line, and nothing that Markdown, HTML or a table would take for its own. */
function inline(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:;()+=@_/-]/gu, ' ').slice(0, 128);
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
