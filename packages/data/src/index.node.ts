/** What needs the file system; `index.ts` runs in a browser. */
export * from './default-documents.node.ts';
export * from './read-documents.node.ts';
