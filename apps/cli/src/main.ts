/** Entry of the `folkmoot` command: what it prints and the code with which it ends. */
import { exitCodeOf, reportFailure } from './failure.ts';
import { buildProgram } from './program.ts';

// A reader that has seen enough (`| head`) ends us quietly.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

try {
  const program = buildProgram();
  if (process.argv.length === 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  await reportFailure(error);
  process.exitCode = exitCodeOf(error);
}
