/** Withholder: works and speaks honestly, and gives nobody a single byte of what it made. */
import { canonicalBytes } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { serving } from './serving.ts';

export const withholder = (): Conduct => ({
  network: (network) =>
    serving(
      network,
      'artifact',
      () =>
        async function* () {
          yield canonicalBytes({});
        },
    ),
});
