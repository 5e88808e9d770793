/** `test`: every test of the checkout by Node's own runner, types and style among them. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

interface TestOptions {
  readonly only?: string;
  readonly check: boolean;
}

export function register(program: Command): void {
  program
    .command('test [filter...]')
    .description('run the tests, all or those whose path contains a filter')
    .option('--only <name>', 'only tests whose name matches a regular expression')
    .option('--no-check', 'leave out the check of types and style')
    .addHelpText('after', examples)
    .action(action(test));
}

const examples = `
Examples:
  folkmoot test                        everything
  folkmoot test ledger test/arrows     the files of one package, and one file
  folkmoot test tensor --only softmax  some tests of them`;

/** One hanging test must not hang the machine that waits for it. */
const TEST_TIMEOUT_MS = 15 * 60_000;

async function test(_call: Invocation, options: TestOptions, filters: string[]): Promise<void> {
  const { availableParallelism } = await import('node:os');
  const { spawn } = await import('node:child_process');
  const { projectRoot } = await import('../project.ts');
  if (options.only !== undefined) await checkPattern(options.only);
  const files = await testFiles(projectRoot, filters, options.check);
  const runner = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      `--test-concurrency=${Math.max(2, availableParallelism())}`,
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...(options.only === undefined ? [] : [`--test-name-pattern=${options.only}`]),
      ...files,
    ],
    { cwd: projectRoot, stdio: 'inherit' },
  );
  // Ctrl+C reaches the runner too; this process waits for its closing lines.
  const ignore = () => {};
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, ignore);
  const code = await new Promise<number | null>((resolve) => runner.on('exit', resolve));
  process.exitCode = code ?? 1;
}

/** The runner takes `text` or `/text/flags`, and would answer a wrong one with a stack trace. */
async function checkPattern(text: string): Promise<void> {
  const [, inner = text, flags] = /^\/(.*)\/([a-z]*)$/.exec(text) ?? [];
  try {
    new RegExp(inner, flags);
  } catch (cause) {
    const { WorldError } = await import('@folkmoot/core');
    throw new WorldError('bad-pattern', `--only takes a regular expression: ${(cause as Error).message}.`, {
      help: 'Write a backslash before ( ) [ ] { } . * + ? ^ $ | where they stand for themselves.',
      cause,
    });
  }
}

async function testFiles(root: string, filters: string[], check: boolean): Promise<string[]> {
  const { globSync } = await import('node:fs');
  const patterns = [
    'test/**/*.test.ts',
    'packages/*/src/**/*.test.ts',
    'apps/*/src/**/*.test.ts',
    'bench/**/*.test.ts',
  ];
  const all = patterns.flatMap((pattern) => globSync(pattern, { cwd: root }).sort());
  const chosen = all.filter(
    (file) =>
      (check || !file.endsWith('check.test.ts')) &&
      (filters.length === 0 || filters.some((filter) => file.includes(filter))),
  );
  if (chosen.length > 0) return chosen;
  const { WorldError } = await import('@folkmoot/core');
  throw new WorldError('no-such-test', 'No test file has that in its path.', {
    facts: { filter: filters.join(' '), 'test files': all.length },
    help: 'Give a part of a path, such as "ledger" or "test/arrows".',
  });
}
