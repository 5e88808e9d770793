/** Where a passphrase comes from: a file, the environment, or the terminal without echo. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { WorldError } from '@folkmoot/core';

const SHORTEST = 8;

/**
 * The passphrase from `file`'s first line, `$FOLKMOOT_PASSPHRASE`, or the terminal (asked twice with `isNew`).
 *
 * Throws `passphrase-needed` where there is none of them, `passphrase-short`, `passphrase-differs`.
 */
export async function readPassphrase(file: string | undefined, isNew: boolean): Promise<string> {
  const passphrase = (await givenPassphrase(file)) ?? (await askPassphrase(isNew));
  if (isNew && passphrase.length < SHORTEST) {
    throw new WorldError('passphrase-short', `A passphrase has at least ${SHORTEST} characters.`, {
      help: 'Four or five random words are easy to keep and hard to guess.',
    });
  }
  return passphrase;
}

async function givenPassphrase(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env.FOLKMOOT_PASSPHRASE;
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new WorldError('passphrase-unreadable', 'The passphrase file cannot be read.', {
      facts: { file, found: cause.message },
      help: 'Check the path given to --passphrase-file.',
      cause,
    });
  });
  return text.split(/\r?\n/)[0]!;
}

async function askPassphrase(isNew: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new WorldError('passphrase-needed', 'A passphrase is needed, and there is no terminal to ask on.', {
      help: 'Give --passphrase-file FILE or set FOLKMOOT_PASSPHRASE.',
    });
  }
  const passphrase = await askHidden('Passphrase: ');
  if (isNew && (await askHidden('The same again: ')) !== passphrase) {
    throw new WorldError('passphrase-differs', 'The two passphrases differ.', { help: 'Run the command again.' });
  }
  return passphrase;
}

function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    terminal.on('SIGINT', () => reject(new WorldError('interrupted', 'Stopped.')));
    terminal.question('', resolve);
  }).finally(() => {
    terminal.close();
    process.stderr.write('\n');
  }) as Promise<string>;
}
