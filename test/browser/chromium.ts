/** Chromium, driven by Playwright. */
import { chromium } from 'playwright-core';
import type { Tab } from './browsers.ts';

declare global {
  /** What every page of `site.ts` has. */
  var callForTest: (name: string, args: string) => Promise<string>;
}

export async function openChromium(program: string, url: string, flags: readonly string[]): Promise<Tab> {
  const browser = await chromium.launch({
    executablePath: program,
    // The sandbox refuses to work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [...flags],
  });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
    page.on('crash', () => errors.push('the page crashed'));
    await page.goto(url);
    return {
      errors,
      call: (name, args) => page.evaluate(([name, args]) => callForTest(name!, args!), [name, args]),
      crashGpu: async () => {
        const session = await browser.newBrowserCDPSession();
        // The answer comes from the process that has crashed.
        await session.send('Browser.crashGpuProcess').catch(() => {});
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
