import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { formatInvite, parseInvite } from './invite.ts';
import { FULL_INVITE, INVITE } from './samples.test-support.ts';

const TEXT = formatInvite(INVITE);

test('an invite is one line of letters that comes back as it went, with white space around it', () => {
  assert.match(TEXT, /^folkmoot1-[A-Za-z0-9_-]+$/);
  for (const text of [TEXT, `  ${TEXT}\n`]) assert.deepEqual(parseInvite(text), INVITE);
  const foreign = { ...INVITE, name: 'Über 群 \u{1f33e}' };
  assert.deepEqual(parseInvite(formatInvite(foreign)), foreign);
});

test('an invite carries a ticket and mirrors, and comes back with them', () => {
  assert.deepEqual(parseInvite(formatInvite(FULL_INVITE)), FULL_INVITE);
  const { ticket } = FULL_INVITE;
  refused(formatInvite({ ...FULL_INVITE, mirrors: Array.from({ length: 5 }, () => 'http://a') }));
  refused(formatInvite({ ...FULL_INVITE, ticket: { ...ticket!, secret: 'short' } }));
  refused(formatInvite({ ...FULL_INVITE, ticket: { ...ticket!, ticket: { ...ticket!.ticket, uses: 0 } } }));
});

test('a damaged invite is never another one: it is refused with the next step', () => {
  for (let i = 0; i < TEXT.length; i++) {
    refused(TEXT.slice(0, i));
    refused(`${TEXT.slice(0, i)}!${TEXT.slice(i + 1)}`);
  }
  for (const text of ['', 'hello', 'folkmoot1-', 'folkmoot2-abc', `${TEXT}${TEXT}`, 'folkmoot1-'.padEnd(17_000, 'A')])
    refused(text);
});

test('an invite with a field too many, too few or out of bounds is refused', () => {
  const odd = [
    { ...INVITE, extra: 1 },
    { ...INVITE, run: 'short' },
    { ...INVITE, addresses: [] },
    { ...INVITE, addresses: Array.from({ length: 17 }, () => 'a') },
    { ...INVITE, addresses: ['x'.repeat(257)] },
    { ...INVITE, header: undefined },
    { ...INVITE, name: 'a\u0007b' },
  ];
  for (const invite of odd) refused(formatInvite(invite as never));
});

function refused(text: string): void {
  assert.throws(
    () => parseInvite(text),
    (error) => isWorldError(error, 'invite-malformed') && error.help.includes('folkmoot1-'),
    text,
  );
}
