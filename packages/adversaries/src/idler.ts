/** Idler: holds a seat and never says a word about its rows. */
import type { Conduct } from '@folkmoot/node';

export const idler = (): Conduct => ({
  perform: async (_bench, duty, honest) => (duty.kind === 'train' ? undefined : honest()),
});
