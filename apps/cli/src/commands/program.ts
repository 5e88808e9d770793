/** `program show`: what a portable program takes, gives and computes, without running it. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

export function register(program: Command): void {
  program
    .command('program')
    .description('portable programs: the arithmetic that members run')
    .addHelpText('after', examples)
    .command('show <file-or-id>')
    .description('print the inputs, outputs and operators of an ONNX file, or of an artifact of a run in this home')
    .addHelpText('after', examples)
    .action(action(show));
}

const examples = '\nExamples:\n  folkmoot program show train.onnx\n  folkmoot program show 3f9a2c';

async function show(call: Invocation, _options: object, fileOrId: string): Promise<void> {
  const { summarizeProgram } = await import('@folkmoot/tensor');
  const summary = summarizeProgram(await readBytes(call.home, fileOrId));
  const { id, bytes, inputs, outputs } = summary.program;
  const { name, producer, nodes, constantBytes, operators } = summary;
  const figures = { id, name, producer, sizeBytes: bytes.length, nodes, constantBytes };
  call.object({ ...figures, inputs, outputs, operators: Object.fromEntries(operators) });
  const { programLines } = await import('../ui/program-lines.ts');
  for (const line of programLines(summary)) call.say(line);
}

async function readBytes(home: string, fileOrId: string): Promise<Uint8Array> {
  const { readFile, stat } = await import('node:fs/promises');
  const { MAX_PROGRAM_BYTES } = await import('@folkmoot/tensor');
  const { WorldError } = await import('@folkmoot/core');
  const file = await stat(fileOrId).catch(() => undefined);
  if (file === undefined) {
    const { findArtifact } = await import('../find-artifact.ts');
    return findArtifact(home, fileOrId, MAX_PROGRAM_BYTES);
  }
  if (!file.isFile() || file.size > MAX_PROGRAM_BYTES) {
    throw new WorldError('program-unreadable', 'This is not a file of the size of a program.', {
      facts: { file: fileOrId, sizeBytes: file.size, maxBytes: MAX_PROGRAM_BYTES },
      help: 'Give an ONNX file, or the id of a program.',
    });
  }
  return readFile(fileOrId);
}
