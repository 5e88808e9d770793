import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, vouchForDevice } from '@folkmoot/core';
import { ACCOUNT, OTHER, RUN } from './samples.test-support.ts';
import { formatVouch, parseVouch } from './vouch.ts';

const VOUCH = {
  run: RUN,
  account: ACCOUNT.id,
  device: OTHER.id,
  vouch: vouchForDevice(ACCOUNT, OTHER.id, RUN),
};
const LINE = formatVouch(VOUCH);

test('an account’s word comes back as it went', () => {
  assert.match(LINE, /^folkmoot-device1-[A-Za-z0-9_-]+$/);
  assert.deepEqual(parseVouch(` ${LINE}\n`), VOUCH);
});

test('a damaged, foreign or unsigned word is refused with the next step', () => {
  const odd = [
    '',
    LINE.slice(0, -3),
    'folkmoot1-abc',
    LINE.padEnd(3000, 'A'),
    formatVouch({ ...VOUCH, device: 'ab'.repeat(32) }),
    formatVouch({ ...VOUCH, run: 'cd'.repeat(32) }),
    formatVouch({ ...VOUCH, account: `0x${'11'.repeat(20)}` }),
  ];
  for (const text of odd)
    assert.throws(
      () => parseVouch(text),
      (error) => isWorldError(error, 'vouch-malformed') && error.help.includes('keys add'),
      text,
    );
});
