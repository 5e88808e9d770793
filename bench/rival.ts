/** A process of its own that does one training step whenever it is asked. It ends when the benchmark does, however that ends. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Rival {
  readonly name: string;
  /** Milliseconds that one step took. */
  step(): Promise<number>;
  /** Lets it end by itself; its peak resident memory in MB. */
  close(): Promise<number>;
  /** Ends it at once, whatever it does; nothing where it is over. */
  kill(): void;
}

/**
 * Starts `command`, which says `ready` and a version, answers each line with milliseconds, and the end of its input with
 * `peak` and kilobytes. It is killed when `signal` aborts, and everything here then rejects with the signal's reason.
 */
export async function startRival(
  command: string,
  args: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<Rival> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], signal, killSignal: 'SIGKILL' });
  // Both are told by the line that does not come.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    signal.throwIfAborted();
    if (done) throw new Error(`${args[0]} ended`);
    return value as string;
  };
  const [, version] = (await line()).split(' ');
  return {
    name: version === name ? name : `${name} ${version}`,
    async step() {
      child.stdin.write('\n');
      return Number(await line());
    },
    async close() {
      child.stdin.end();
      return Number((await line()).split(' ')[1]) / 1000;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
