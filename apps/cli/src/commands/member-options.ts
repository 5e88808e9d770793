/** Options that `create`, `join` and `up` share. */
import { type Command, Option } from 'commander';
import { addExchangeOptions, type ExchangeOptions } from './exchange-options.ts';
import { addOptimizerOptions, type OptimizerOptions } from './optimizer-options.ts';

export interface MemberOptions {
  readonly rounds?: string;
  readonly for?: string;
  readonly exit?: boolean;
  readonly threads?: string;
  readonly memory?: string;
  readonly port?: string;
  readonly storeLimit?: string;
}

export interface ListenOptions {
  readonly listen: string;
  readonly announce?: string[];
  readonly relay?: string[];
  readonly upnp?: true;
  readonly mirror?: string[];
  readonly http?: string;
  readonly name?: string;
}

/** What a run trains on and how: of a fork too. */
export interface RulesOptions extends OptimizerOptions, ExchangeOptions {
  readonly rules?: string;
  readonly data?: string[];
  readonly textColumn?: string;
  readonly qualityFilters: boolean;
  readonly keepNearDuplicates?: true;
  readonly batchRows?: string;
  readonly microRows?: string;
  readonly engine?: 'native' | 'exact' | 'webgpu';
}

export interface CharterOptions extends RulesOptions {
  readonly preset: string;
  readonly model?: string;
  readonly from?: string;
  readonly licence: string;
  readonly runName: string;
}

/** When a member stops, and what it uses of the machine. */
export function addMemberOptions(command: Command): Command {
  return command
    .option('--rounds <n>', 'train until the run has finished this many rounds')
    .option('--for <time>', 'train for this long: 90s, 5m, 2h')
    .option('--exit', 'end when that is reached and no audit is outstanding')
    .option('--threads <n>', 'threads for training (default: one for each processor, shared among members)')
    .option('--memory <size>', 'most memory that training may take, such as 4GB (default: what is available)')
    .option('--store-limit <size>', 'most disk that artifacts may take, such as 20GB (default: what there is)')
    .option('--port <n>', 'port to listen at (default: a free one, the same again next time)');
}

export function addListenOptions(command: Command): Command {
  return command
    .option('--listen <address>', 'address to listen at; 127.0.0.1 for this machine only', '0.0.0.0')
    .option(
      '--announce <multiaddr...>',
      'where others reach this member, behind a router that forwards a port: /ip4/203.0.113.7/tcp/4801 (default: what it listens at)',
    )
    .option(
      '--relay <multiaddr...>',
      'be reachable through this relay, behind a router that forwards nothing: what "folkmoot relay" prints (default: members that relay are found by themselves)',
    )
    .option('--upnp', 'ask the router to forward a port (default: the router is left alone)')
    .option(
      '--mirror <url...>',
      'HTTP addresses to ask for artifacts that no member can send, beside those in the invite',
    )
    .option(
      '--http <port>',
      'serve artifacts over HTTP too, for browsers and for members that no direct connection leads to',
    )
    .option('--name <name>', 'what others see you as (default: made from the device key)');
}

/** What the charter fixes for ever. */
export function addCharterOptions(command: Command): Command {
  const general = command
    .option('--preset <name>', 'model size and rules: tiny, small, medium', 'tiny')
    .addOption(
      new Option(
        '--model <config.json>',
        'a Llama model by its Hugging Face config, with the rules of the nearest preset; the tokenizer is trained to its vocab_size',
      ).conflicts('preset'),
    )
    .addOption(
      new Option(
        '--from <folder>',
        'go on from the weights and the tokenizer of a Hugging Face folder, such as one made by export; float32, float16 or bfloat16, also in several files',
      ).conflicts(['preset', 'model']),
    )
    .option('--licence <spdx>', 'licence of the model', 'Apache-2.0')
    .option('--run-name <name>', 'what the run is called', 'folkmoot');
  return addRulesOptions(general, { rules: 'the preset’s', data: 'the text of installed dependencies' });
}

/** What a run trains on and how; `usual` says in a few words what holds where nothing is said. */
export function addRulesOptions(command: Command, usual: { readonly rules: string; readonly data: string }): Command {
  const general = command
    .option(
      '--rules <file.json>',
      `rules that differ from ${usual.rules}: timing, committee, audit, credit, steps, as the charter names them`,
    )
    .option(
      '--data <path...>',
      `folders and files of text, Markdown, source code, JSONL or Parquet, also as .gz; whoever holds the invite can read it, so you are asked first (default: ${usual.data})`,
    )
    .option(
      '--text-column <name>',
      'the Parquet column or the member of a JSONL line that holds the text (default: text, content or another usual name)',
    )
    .option(
      '--no-quality-filters',
      'keep documents that are very short, generated, mostly numbers and symbols, or repeat themselves',
    )
    .option('--keep-near-duplicates', 'keep documents that nearly repeat an earlier one')
    .option('--batch-rows <n>', `rows of an inner step (default: ${usual.rules})`)
    .option(
      '--micro-rows <n>',
      'rows that are in memory at once: a divisor of the batch’s, whose gradients are added up (default: all rows)',
    )
    .addOption(
      new Option(
        '--engine <kind>',
        'native or webgpu: fast, compared by tolerance across machines (a GPU is used where there is one); exact: the same bits everywhere',
      ).choices(['native', 'exact', 'webgpu']),
    );
  return addOptimizerOptions(addExchangeOptions(general));
}
