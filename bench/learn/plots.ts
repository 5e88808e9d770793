/** The plots of the results, as SVG by Vega: loss by rounds, and loss by bytes. */
import { CHART, chart } from '../chart.ts';
import { timesFewer } from './accounting.ts';
import type { Arm } from './arm.ts';
import { finalLoss } from './experiment.ts';
import { resultsOf } from './results.ts';
import type { Result } from './run-arm.ts';

export interface Named {
  readonly label: string;
  readonly arm: Arm;
}

/** Hold-out loss after each evaluation, the mean of the seeds, one line an arm. */
export function curvePlot(title: string, arms: readonly Named[], results: readonly Result[]): Promise<string> {
  const values = arms.flatMap(({ label, arm }) => {
    const own = resultsOf(results, arm);
    return (own[0]?.curve ?? []).map(([round], i) => ({
      arm: without(title, label),
      round,
      loss: own.reduce((sum, { curve }) => sum + (curve[i]?.[1] ?? Number.NaN), 0) / own.length,
    }));
  });
  return chart({
    title,
    ...CHART,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'round', type: 'quantitative', title: 'rounds' },
      y: { field: 'loss', type: 'quantitative', title: 'hold-out loss, nats per byte', scale: { zero: false } },
      color: {
        field: 'arm',
        type: 'nominal',
        title: null,
        scale: { scheme: 'tableau20' },
        legend: { labelLimit: 1000 },
      },
    },
  });
}

/** Final loss against bytes saved, the mean of the seeds, one point an arm; arms that send nothing are left out. */
export function frontierPlot(title: string, arms: readonly Named[], results: readonly Result[]): Promise<string> {
  const values = arms.flatMap(({ label, arm }) => {
    const losses = resultsOf(results, arm).map(finalLoss).filter(Number.isFinite);
    const times = timesFewer(arm);
    if (losses.length === 0 || times === 1) return [];
    return [{ arm: without(title, label), times, loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length }];
  });
  return chart({
    title,
    ...CHART,
    data: { values },
    mark: { type: 'point', filled: true, size: 80 },
    encoding: {
      x: {
        field: 'times',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'times fewer bytes than float32 in every step',
      },
      y: { field: 'loss', type: 'quantitative', title: 'hold-out loss, nats per byte', scale: { zero: false } },
      color: {
        field: 'arm',
        type: 'nominal',
        title: null,
        scale: { scheme: 'tableau20' },
        legend: { labelLimit: 1000 },
      },
    },
  });
}

/** `label` without the last part that the title has too: a legend need not say it of every arm. */
function without(title: string, label: string): string {
  const last = `, ${title.split(', ').at(-1)}`;
  return label.endsWith(last) ? label.slice(0, -last.length) : label;
}
