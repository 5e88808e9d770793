/** The harness itself: what a page returns arrives, and no error of a page stays unseen. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BrowserName, browserSkip, withPage } from './browsers.ts';
import { type Bundle, bundle, type Site, serve } from './site.ts';

let files: Bundle;
let site: Site;
before(async () => {
  files = await bundle(new URL('./harness.page.ts', import.meta.url));
  site = await serve(files);
});
after(async () => {
  await site.close();
  await files.remove();
});

for (const browser of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const skip = browserSkip(browser);

  test(`${browser}: results and errors come back`, { skip }, () =>
    withPage(browser, site, async (call) => {
      assert.deepEqual(await call('add', 2, 3), { sum: 5, isolated: true });
      await assert.rejects(call('fail'), { name: 'RangeError', message: 'on purpose', code: 'code-7' });
      await assert.rejects(call('absent'), { name: 'TypeError' });
    }),
  );

  test(`${browser}: what a page or its worker complains about fails the test`, { skip }, async () => {
    const complaints = ['complain', 'stumble', 'complainInWorker'];
    const all = withPage(browser, site, async (call) => {
      for (const name of complaints) await call(name);
    });
    await assert.rejects(all, /reported:\na complaint\n[\s\S]*a stumble[\s\S]*\na complaint of a worker$/);
    await withPage(browser, site, (call) => call('complain'), { expected: /^a complaint$/ });
  });
}

test('a page without the headers shares no memory', { skip: browserSkip('chromium') }, async () => {
  const open = await serve(files, { isolated: false });
  await withPage('chromium', open, async (call) => {
    assert.deepEqual(await call('add', 0, 0), { sum: 0, isolated: false });
  });
  await open.close();
});
