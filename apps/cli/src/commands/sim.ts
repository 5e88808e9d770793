/** `sim`: whole worlds on this machine's processor, from a seed: members, weather, nemeses, adversaries, checkers. */
import type { Command } from 'commander';
import { action } from '../invocation.ts';

export interface SimOptions {
  readonly seed: string;
  readonly seeds?: string;
  readonly members?: string;
  readonly rounds?: string;
  readonly minutes?: string;
  readonly adversary?: string[];
  readonly nemesis?: string[];
  readonly calm?: boolean;
  readonly loss?: string;
  readonly delay?: string;
  readonly html?: string;
  readonly trace?: string | true;
  readonly real?: boolean;
  readonly soak?: boolean;
  readonly plan?: string;
  readonly plant?: string[];
  readonly table?: boolean;
  readonly list?: boolean;
}

export function register(program: Command): void {
  program
    .command('sim')
    .description('simulate a network from a seed: what is on the sliders befalls it, and checkers look at every entry')
    .option('--seed <text>', 'another seed is another world', '1')
    .option('--seeds <n>', 'so many worlds, from the seed (a number) on')
    .option('--members <n>', 'members, 3 to 200; drawn otherwise')
    .option('--rounds <n>', 'rounds that must end after the world has healed')
    .option('--minutes <n>', 'length of the chaos, simulated minutes (0.75)')
    .option('--adversary <name=part...>', 'so large a part of the members misbehaves so, such as free-rider=0.2')
    .option('--nemesis <name...>', 'only these befall the world, such as crash partition; drawn otherwise')
    .option('--calm', 'nothing befalls anybody')
    .option('--loss <part>', 'messages that are lost, 0 to 0.2')
    .option('--delay <ms>', 'longest delay of a message, milliseconds')
    .option('--real', 'train in earnest: tensors on the bit-exact engine, for small worlds')
    .option('--html <file>', 'write a timeline that a browser can open')
    .option('--trace [lines]', 'print what happened, or the last so many lines of it')
    .option('--soak', 'one seed after another, until Ctrl+C or a failure')
    .option('--plan <json>', 'the world of this plan: a failure prints it')
    .option(
      '--plant <name...>',
      'plant bugs, one at a time, and see who notices: names, areas, or "all" of which the table has no row of this source; "list" names them',
    )
    .option('--table', 'with --plant: put what came out into docs/results/planted-bugs.md, as "all" does')
    .option('--list', 'name nemeses, adversaries and checkers')
    .addHelpText('after', examples)
    .action(action(sim));
}

const examples = `
First chaos, in which nothing wrong may happen; then the world heals, and everybody honest must finish rounds and be
credited. Members are the production code; clock, network, disk and (without --real) training are simulated. The same
seed gives the same trace on every machine.

Examples:
  folkmoot sim --seed 17 --html world.html
  folkmoot sim --members 9 --adversary free-rider=0.2 lazy-auditor=0.1 --nemesis crash partition --minutes 3
  folkmoot sim --seeds 100
  folkmoot sim --soak
  folkmoot sim --plant all
  folkmoot sim --plant quorum-of-two-thirds terms --table`;

async function sim(...args: Parameters<typeof import('../run-sim.ts').runSim>): Promise<void> {
  const { runSim } = await import('../run-sim.ts');
  await runSim(...args);
}
