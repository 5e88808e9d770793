/** `bench NAME`: measures, and prints the figures with the machine's facts. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

interface Options {
  readonly only?: string;
  readonly seeds?: string;
  readonly list?: boolean;
  readonly report?: boolean;
}

export function register(program: Command): void {
  program
    .command('bench [names...]')
    .description('measure speed and size on this machine; without a name, list what can be measured')
    .option('--only <parts>', 'learn, large, scale, security: only these parts, such as L1,L3 or profit,accusations')
    .option('--seeds <n>', 'learn, security: seeds of each run (default 3 and 4)')
    .option('--list', 'learn: only say what there is to run, and what is done')
    .option('--report', 'learn: only write the report of what was run')
    .addHelpText(
      'after',
      '\nExamples:\n  folkmoot bench signatures\n  folkmoot bench all --json\n  folkmoot bench learn --only L3 --seeds 1',
    )
    .action(action(bench));
}

async function bench(call: Invocation, options: Options, names: string[]): Promise<void> {
  const { benches } = await import('../../../../bench/index.ts');
  const chosen = names.includes('all') ? Object.keys(benches).filter((name) => !benches[name]!.long) : names;
  for (const name of chosen) await checkName(name, Object.keys(benches));
  const column = Math.max(...Object.keys(benches).map((name) => name.length)) + 2;
  if (chosen.length === 0) {
    for (const [name, entry] of Object.entries(benches)) {
      call.say(`${name.padEnd(column)}${entry.description}`);
      call.object({ name, description: entry.description });
    }
    return;
  }
  const { parseCount } = await import('../run/take-part.ts');
  const seeds = options.seeds === undefined ? undefined : parseCount('--seeds', options.seeds);
  const { machineFacts } = await import('../machine.ts');
  const facts = machineFacts();
  call.object({ machine: facts });
  for (const [name, fact] of Object.entries(facts)) call.say(`${name.padEnd(13)}${fact}`);
  const signal = call.stopSignal();
  for (const name of chosen) {
    signal.throwIfAborted();
    call.say(`\n${name}: ${benches[name]!.description}`);
    await runOne(call, name, (await benches[name]!.load()).run(signal, { ...options, seeds }));
  }
}

async function runOne(
  call: Invocation,
  bench: string,
  figures: AsyncIterable<{ name: string; value: number; unit: string; note?: string }>,
): Promise<void> {
  for await (const { name, value, unit, note } of figures) {
    call.object({ bench, name, value, unit, note });
    call.say(
      `  ${name.padEnd(34)} ${printNumber(value).padStart(12)} ${unit}${note === undefined ? '' : `   ${note}`}`,
    );
  }
}

/** Four digits or all before the point: more would be noise. */
function printNumber(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

async function checkName(name: string, known: string[]): Promise<void> {
  if (known.includes(name)) return;
  const { WorldError } = await import('@folkmoot/core');
  throw new WorldError('no-such-bench', `There is no benchmark "${name}".`, {
    help: `There are: ${known.join(', ')}, and "all".`,
  });
}
