/**
 * Firefox, driven by WebDriver BiDi (W3C), which it speaks by itself.
 *
 * Playwright would want a Firefox of its own making: towards Debian's it asks for a command that that one does not know.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Tab } from './browsers.ts';

const START_MS = 60_000;

export async function openFirefox(program: string, url: string, flags: readonly string[]): Promise<Tab> {
  const profile = await mkdtemp(join(tmpdir(), 'folkmoot-firefox-'));
  const child = spawn(
    program,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', ...flags, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } },
  );
  const close = async () => {
    await ended(child);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const session = await Session.open(`${await address(child)}/session`);
    const errors = session.errors;
    await session.send('session.new', { capabilities: {} });
    await session.send('session.subscribe', { events: ['log.entryAdded'] });
    const { contexts } = await session.send<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
    const { context } = contexts[0]!;
    await session.send('browsingContext.navigate', { context, url, wait: 'complete' });
    return {
      errors,
      call: (name, args) => session.call(context, name, args),
      close: async () => {
        session.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address that Firefox prints when it listens. */
async function address(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stderr! });
  const seen: string[] = [];
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  for await (const line of lines) {
    seen.push(line);
    const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (found === undefined) continue;
    clearTimeout(timer);
    return found;
  }
  clearTimeout(timer);
  throw new Error(`Firefox did not start:\n${seen.join('\n')}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** One connection: numbered commands, answers, and what the pages log. */
class Session {
  readonly errors: string[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 1;

  static async open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`no WebDriver BiDi at ${url}`)));
    });
    return new Session(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener('close', () => this.#end(new Error('Firefox ended')));
  }

  send<T>(method: string, params: object): Promise<T> {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** `callForTest(name, args)` in the page. */
  async call(context: string, name: string, args: string): Promise<string> {
    const answer = await this.send<{ result: { value: string }; exceptionDetails?: { text: string } }>(
      'script.callFunction',
      {
        functionDeclaration: '(name, args) => callForTest(name, args)',
        arguments: [name, args].map((value) => ({ type: 'string', value })),
        target: { context },
        awaitPromise: true,
      },
    );
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.text);
    return answer.result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #receive({ id, type, result, method, params, ...rest }: BidiMessage): void {
    if (method === 'log.entryAdded' && params.level === 'error') this.errors.push(params.text);
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id!);
    if (type === 'success') waiting.resolve(result as never);
    else waiting.reject(new Error(`${rest.error}: ${rest.message}`));
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

interface BidiMessage {
  readonly id?: number;
  readonly type: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
  readonly method?: string;
  readonly params: { level?: string; text: string };
}
