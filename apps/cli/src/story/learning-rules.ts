/** A charter's rules of learning in one line: what a member does with a gradient, and what is made of all their updates. */
import type { Charter } from '@folkmoot/records';
import { formatCount } from '../ui/format.ts';

export type LearningRules = Pick<Charter, 'optimizer' | 'codec' | 'aggregator'>;

export function learningText({ optimizer, codec, aggregator }: LearningRules): string {
  return [optimizerText(optimizer), codecText(codec), aggregatorText(aggregator)].join('; ');
}

function optimizerText({ kind, learningRate, warmupSteps, schedule }: Charter['optimizer']): string {
  const name = kind === 'muon' ? 'Muon' : 'AdamW';
  const after =
    schedule.kind === 'constant'
      ? 'constant'
      : `${schedule.kind} to ${schedule.finalRate} of it by step ${formatCount(schedule.steps)}`;
  return `${name} at ${learningRate}, ${warmupSteps} steps of warm-up, then ${after}`;
}

function codecText(codec: Charter['codec']): string {
  if (codec.kind === 'dense') return 'dense updates';
  const ahead = codec.ahead === undefined ? '' : `, ahead by ${codec.ahead} from round ${codec.aheadFrom ?? 1}`;
  return `sparse updates (${codec.keep} of ${codec.chunk}${ahead})`;
}

function aggregatorText({ outerRate, momentum }: Charter['aggregator']): string {
  return momentum === undefined ? `outer rate ${outerRate}` : `outer rate ${outerRate}, Nesterov momentum ${momentum}`;
}
