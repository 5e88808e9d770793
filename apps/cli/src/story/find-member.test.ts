import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { findMember } from './find-member.ts';
import { namesOf } from './names.ts';

const one = `1a2b${'0'.repeat(60)}`;
const two = `1a2c${'0'.repeat(60)}`;
const three = `ffff${'0'.repeat(60)}`;
const members = {
  [one]: { name: 'ana', account: `0x9a9a${'1'.repeat(36)}` },
  [two]: { name: 'ben', account: `0x9a9b${'1'.repeat(36)}` },
  [three]: { name: 'ben', account: `0x9a9b${'1'.repeat(36)}` },
} as unknown as State['members'];

test('a member is found by name, device or account', () => {
  for (const text of ['ana', '1a2b', '1A2B', '0x9a9a', '9a9a1']) assert.equal(findMember(members, text), one, text);
  assert.equal(findMember(members, '1a2c'), two);
});

test('what means two or none is an error that lists what there is', () => {
  for (const [text, code] of [
    ['ben', 'member-ambiguous'],
    ['0x9a9b', 'member-ambiguous'],
    ['1a2', 'no-such-member'],
    ['zoe', 'no-such-member'],
  ] as const)
    assert.throws(
      () => findMember(members, text),
      (error) => isWorldError(error, code),
      text,
    );
  assert.throws(() => findMember(members, 'zoe'), {
    facts: { members: `ana, ben (${two.slice(0, 10)}), ben (${three.slice(0, 10)})` },
  });
});

test('names are made safe to print, and told apart', () => {
  const hostile = { [one]: { name: 'a\u001b[2Jb' }, [two]: { name: ' ' } } as unknown as State['members'];
  const nameOf = namesOf(hostile);
  assert.equal(nameOf(one), 'a [2Jb');
  assert.equal(nameOf(two), two.slice(0, 10));
  assert.equal(nameOf(three), three.slice(0, 10));
});
