/** What stands in the way of taking part, and the next step for each; what cannot be helped is not told. */
import { formatBytes } from '../ui/format.ts';
import type { Engines, MachineDescription, PresetForecast, Problem } from './examination.ts';

const NODE_OLDEST = 24;
/** The store of a short `tiny` run with its log; larger runs say what they need. */
const LEAST_DISK_BYTES = 500e6;

export function diagnose(
  machine: MachineDescription,
  engines: Engines,
  forecasts: readonly PresetForecast[],
): Problem[] {
  return [
    ...oldNode(machine),
    ...noEngine(engines),
    ...littleMemory(machine, forecasts),
    ...disk(machine),
    ...busy(machine),
  ];
}

function oldNode({ node }: MachineDescription): Problem[] {
  if (Number.parseInt(node, 10) >= NODE_OLDEST) return [];
  const help = 'Start it as ./folkmoot, which brings its own Node.';
  return [{ problem: `Node ${node} is older than ${NODE_OLDEST}.`, help, fatal: true }];
}

function noEngine({ native, exact }: Engines): Problem[] {
  const problems: Problem[] = [];
  if (!native.works)
    problems.push({
      problem: `The native engine does not work: ${native.reason}`,
      help: exact.works
        ? 'folkmoot create --engine exact'
        : (native.help ?? 'Install again: rm -rf node_modules && ./folkmoot doctor'),
      fatal: !exact.works,
    });
  if (!exact.works)
    problems.push({
      problem: `The exact engine does not work: ${exact.reason}`,
      help: `${exact.help ?? ''} rm -rf node_modules && ./folkmoot doctor`.trim(),
      fatal: !native.works,
    });
  return problems;
}

function littleMemory({ availableBytes }: MachineDescription, forecasts: readonly PresetForecast[]): Problem[] {
  const [smallest, ...larger] = [...forecasts].sort((a, b) => a.memoryBytes - b.memoryBytes);
  if (!smallest) return [];
  if (smallest.fits) {
    const tooLarge = larger.find(({ fits }) => !fits);
    if (!tooLarge) return [];
    const largest = forecasts.filter(({ fits }) => fits).sort((a, b) => b.memoryBytes - a.memoryBytes)[0]!;
    const problem = `${tooLarge.preset} needs ${formatBytes(tooLarge.memoryBytes)}, ${formatBytes(availableBytes)} are available.`;
    return [{ problem, help: `folkmoot create --preset ${largest.preset}, or close other programs`, fatal: false }];
  }
  const sizes = `${smallest.preset} needs ${formatBytes(smallest.memoryBytes)}, ${formatBytes(availableBytes)} are available`;
  return [
    {
      problem: `No preset fits into memory: ${sizes}.`,
      help: 'Close other programs, then: folkmoot doctor',
      fatal: true,
    },
  ];
}

function disk({ home, homeWritable, diskFreeBytes }: MachineDescription): Problem[] {
  if (!homeWritable)
    return [
      {
        problem: `${home} cannot be written.`,
        help: 'folkmoot --home DIR doctor, with a folder of yours',
        fatal: true,
      },
    ];
  if (diskFreeBytes === undefined || diskFreeBytes >= LEAST_DISK_BYTES) return [];
  const problem = `${formatBytes(diskFreeBytes)} are free at ${home}; a run needs ${formatBytes(LEAST_DISK_BYTES)} or more.`;
  return [{ problem, help: 'Free some space, or: folkmoot --home DIR create, on another disk', fatal: true }];
}

function busy({ load, cores }: MachineDescription): Problem[] {
  if (load <= 1.5 * cores) return [];
  const problem = `The machine is busy (load ${load.toFixed(1)} on ${cores} cores), so it looks slower here than it is.`;
  return [{ problem, help: 'When it is idle, again: folkmoot doctor', fatal: false }];
}
