/** Which browsers this machine has. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type BrowserName = 'chromium' | 'firefox';

const PROGRAMS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  firefox: ['firefox-esr', 'firefox'],
};

/** For `skip` of a test: why there is no such browser, or `false`. */
export function browserSkip(name: BrowserName): string | false {
  return findBrowser(name) === undefined && `no ${name} here: install it, or name its program in ${variable(name)}`;
}

/** The path of its program: what the variable CHROMIUM or FIREFOX says, or the first one on PATH. */
export function findBrowser(name: BrowserName): string | undefined {
  const named = process.env[variable(name)];
  if (named !== undefined) return isProgram(named) ? named : undefined;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return PROGRAMS[name].flatMap((program) => folders.map((folder) => join(folder, program))).find(isProgram);
}

function variable(name: BrowserName): string {
  return name.toUpperCase();
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
