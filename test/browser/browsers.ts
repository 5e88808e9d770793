/** Browsers that tests start, without a window: one page of each, whose functions a test calls. */

import { openChromium } from './chromium.ts';
import { type BrowserName, findBrowser } from './find-browser.ts';
import { openFirefox } from './firefox.ts';
import type { Site } from './site.ts';

export { type BrowserName, browserSkip } from './find-browser.ts';

/** A page that has loaded. Made by a driver. */
export interface Tab {
  /** Evaluates `callForTest(name, args)` in the page and waits for the text that it gives. */
  call(name: string, args: string): Promise<string>;
  /** Everything that the page and its workers reported as an error, until now. */
  readonly errors: readonly string[];
  /** Ends the browser's process for the GPU, which starts again when it is needed. Absent where there is no way to. */
  crashGpu?(): Promise<void>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** More arguments for the program. */
  readonly flags?: readonly string[];
  /** Errors on the console that are part of the test. */
  readonly expected?: RegExp;
}

/** Calls an export of the page's module with JSON arguments; its result comes back as JSON. An error keeps `code` and `facts`. */
export type CallPage = <T>(name: string, ...args: unknown[]) => Promise<T>;

/**
 * Starts `browser` on `site`, and ends it after `use`.
 *
 * Fails where the page or one of its workers reports an error that is not `expected`, even if `use` is content.
 * Ask `browserSkip` before: throws where the browser is not installed.
 */
export async function withPage<T>(
  browser: BrowserName,
  site: Site,
  use: (call: CallPage, tab: Tab) => Promise<T>,
  { flags = [], expected }: BrowserOptions = {},
): Promise<T> {
  const tab = await OPEN[browser](findBrowser(browser)!, site.origin, flags);
  try {
    const result = await use(async (name, ...args) => read(await tab.call(name, JSON.stringify(args))), tab);
    const unexpected = tab.errors.filter((error) => !expected?.test(error));
    if (unexpected.length > 0) throw new Error(`${browser} reported:\n${unexpected.join('\n')}`);
    return result;
  } catch (error) {
    throw tab.errors.length === 0
      ? error
      : new Error(`${browser} reported:\n${tab.errors.join('\n')}`, { cause: error });
  } finally {
    await tab.close();
  }
}

const OPEN: Record<BrowserName, (program: string, url: string, flags: readonly string[]) => Promise<Tab>> = {
  chromium: openChromium,
  firefox: openFirefox,
};

function read(text: string): never {
  const { value, error } = JSON.parse(text);
  if (error === undefined) return value as never;
  throw Object.assign(new Error(error.message), error);
}
