/** Equivocator: says everything twice, the second time otherwise: two commits, two headers, two results for one place. */
import { hashOf } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';

export const equivocator = (): Conduct => ({
  watch: (bench, { record: { body } }) => {
    if (body.device !== bench.key.id) return undefined;
    const other = hashOf('the other way', body.round);
    switch (body.kind) {
      case 'commit':
        return bench.voice.say('commit', { ...saidIn(body), blind: other }, body);
      case 'header':
        return bench.voice.say('header', { ...saidIn(body), header: { ...body.header, nextBase: other } }, body);
      case 'result':
        return bench.voice.say('result', { ...saidIn(body), result: other }, body);
      default:
        return undefined;
    }
  },
});

/** What a record says, without its envelope. */
function saidIn<B extends object>(body: B): Omit<B, 'kind' | 'run' | 'round' | 'base' | 'device' | 'seq' | 'seen'> {
  const { kind, run, round, base, device, seq, seen, ...said } = body as Record<string, unknown>;
  return said as never;
}
