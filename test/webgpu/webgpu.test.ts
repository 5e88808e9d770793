/** The GPU's engine in a browser, on the software adapter that Chromium brings along. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browserSkip, withPage } from '../browser/browsers.ts';
import { type Bundle, bundle, type Site, serve } from '../browser/site.ts';
import type { Comparison } from './page.ts';

/** A hundred times what was measured; a step that is left out is a hundred times further. */
const NEAR_PPM = 1000;
const skip = browserSkip('chromium');

let files: Bundle;
let site: Site;
before(async () => {
  files = await bundle(new URL('./page.ts', import.meta.url));
  site = await serve(files);
});
after(async () => {
  await site.close();
  await files.remove();
});

// One browser for all of it: shaders are compiled once, and that takes most of the time.
test('a GPU trains near the exact engine, only when asked for, and can go away', { skip }, () =>
  withPage(
    'chromium',
    site,
    async (call, { crashGpu }) => {
      await assert.rejects(call('open', false), refused('the browser offers a software adapter only'));

      const { memory, distancePpm, losses } = await call<Comparison>('compare');
      assert.equal(memory, 'device');
      assert.ok(distancePpm > 0 && distancePpm < NEAR_PPM, `${distancePpm} ppm`);
      assert.ok(losses.length > 0 && losses.every(Number.isFinite));

      await call('again');
      await crashGpu!();
      for (const attempt of [1, 2])
        await assert.rejects(call('again'), { code: 'engine-device-lost' }, `attempt ${attempt}`);
      assert.match(await call('open', true), /^webgpu onnxruntime-web 1\.30\.0 software /);
    },
    // The browser complains of its crash.
    { flags: ['--enable-unsafe-webgpu'], expected: /GPU|WebGPU|device|context/i },
  ),
);

test('a browser without a GPU says so', { skip }, () =>
  withPage('chromium', site, (call) => assert.rejects(call('open', true), refused('the browser offers no GPU'))),
);

function refused(reason: string): (error: { code: string; facts: { reason: string } }) => boolean {
  return ({ code, facts }) => {
    assert.deepEqual([code, facts.reason], ['engine-unavailable', reason]);
    return true;
  };
}
