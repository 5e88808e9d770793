/** The tokenizer that others use, on a folder that we wrote. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

/** Hugging Face's own reading of `folder`'s tokenizer files. */
export function foreignTokenizer(folder: string): Tokenizer {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
}
