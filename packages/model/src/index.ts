export * from './config.ts';
export * from './layout.ts';
export * from './tokenizer.ts';
export { MAX_TOKENIZER_BYTES } from './tokenizer-json.ts';
export { BASE_VOCABULARY, END_OF_TEXT, END_OF_TEXT_ID, MAX_VOCABULARY, type Merge } from './vocabulary.ts';
