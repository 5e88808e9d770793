/** Index forger: claims every role that was drawn for another: its seat, its attestation, its header, its audit. */
import { hashOf } from '@folkmoot/core';
import type { Conduct, Workbench } from '@folkmoot/node';
import { invented, sayResult, sayVerdict } from './inventions.ts';

export const indexForger = (): Conduct => ({
  watch: async (bench, { record: { body } }) => {
    if (body.device === bench.key.id) return;
    const forged = hashOf('forged', body.round);
    if (body.kind === 'commit') await claimSeat(bench, body.seat);
    if (body.kind === 'attest')
      await bench.voice.say('attest', { draw: body.draw, updates: body.updates, preimage: forged }, body);
    if (body.kind === 'header') await bench.voice.say('header', { header: body.header, preimage: forged }, body);
    if (body.kind === 'seal') await bench.voice.say('seal', { header: body.header, prev: forged }, body);
    for (const audit of Object.values(bench.log.state.audits)) {
      if (audit.trainer === bench.key.id || audit.auditors.includes(bench.key.id)) continue;
      if (audit.stage === 'running') await sayResult(bench, audit, invented(bench, audit));
      if (audit.stage === 'judging') await sayVerdict(bench, audit, { outcome: 'abstain' });
    }
  },
});

/** A commit for somebody else’s seat. */
async function claimSeat(bench: Workbench, seat: number): Promise<void> {
  const { charter, voice } = bench;
  const forged = hashOf('forged', seat);
  const carry = { momentsIn: charter.zeroMoments, momentsOut: forged, errorIn: charter.zeroError, errorOut: forged };
  await voice.say('commit', { seat, traceRoot: forged, blind: forged, ...carry, engine: 'forged' });
}
