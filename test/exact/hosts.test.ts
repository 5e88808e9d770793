/**
 * The arbiter's bits: twenty training steps on the `exact` engine end in the same parameters and moments on every host.
 *
 * Every older claim that `exact` would judge was made with the bits before a change of `golden.json`. Whoever freezes others,
 * by `node test/exact/twenty-steps.node.ts --freeze`, writes down in `docs/decisions/` what changed them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Hash } from '@folkmoot/core';
import { EXACT_WASM_SHA256 } from '@folkmoot/tensor';
import { type BrowserName, browserSkip, type CallPage, withPage } from '../browser/browsers.ts';
import { type Bundle, bundle, type Site, serve } from '../browser/site.ts';
import golden from './golden.json' with { type: 'json' };
import { nodeProgram } from './other-nodes.ts';
import type { OptimizerKind, Outcome } from './twenty-steps.ts';

const WAYS = (['adamw', 'muon'] as const).flatMap((optimizer) => [1, 2].map((threads) => ({ optimizer, threads })));

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

for (const version of ['22.23.3', '24.21.0', '26.10.0'])
  test(`Node ${version}, one and two threads`, async (t) => {
    const node = nodeProgram(version);
    if ('missing' in node) return t.skip(node.missing);
    const script = fileURLToPath(new URL('./twenty-steps.node.ts', import.meta.url));
    for (const { optimizer, threads } of WAYS) {
      const { stdout } = await promisify(execFile)(node.path, [script, optimizer, String(threads)]);
      checkOutcome(JSON.parse(stdout), threads, optimizer);
    }
  });

for (const browser of ['chromium', 'firefox'] satisfies BrowserName[]) {
  test(`${browser}, one and two threads`, { skip: browserSkip(browser) }, () =>
    withPage(browser, site, async (call) => {
      for (const { optimizer, threads } of WAYS)
        checkOutcome(await call('train', threads, optimizer), threads, optimizer);
    }),
  );
}

test('a page that may not share memory has one thread and the same bits', { skip: anyBrowser().skip }, async () => {
  const open = await serve(files, { isolated: false });
  // It says that it would like to.
  await withPage(anyBrowser().name, open, async (call) => checkOutcome(await call('train', 2), 1));
  await open.close();
});

test('another WebAssembly file is refused in a browser, with the reason', { skip: anyBrowser().skip }, async () => {
  const flip = (path: string, bytes: Buffer) => {
    if (path.endsWith('.wasm')) bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  };
  const wrong = await serve(files, { instead: flip });
  await withPage(anyBrowser().name, wrong, (call: CallPage) =>
    assert.rejects(call('train', 1), ({ code, facts }: { code: string; facts: { expected: Hash; found: Hash } }) => {
      assert.deepEqual([code, facts.expected], ['engine-mismatch', EXACT_WASM_SHA256]);
      return facts.found !== facts.expected;
    }),
  );
  await wrong.close();
});

function checkOutcome({ digest, losses, threads }: Outcome, wanted: number, optimizer: OptimizerKind = 'adamw'): void {
  assert.equal(threads, wanted);
  assert.ok(losses.at(-1)! < losses[0]! - 1.5, `the loss falls: ${losses}`);
  assert.equal(digest, golden[optimizer]);
}

function anyBrowser(): { name: BrowserName; skip: string | false } {
  const name = browserSkip('chromium') === false ? 'chromium' : 'firefox';
  return { name, skip: browserSkip(name) };
}
