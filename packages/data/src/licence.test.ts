import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanLicence, isPermissive, licenceOfHeader, licenceOfText } from './licence.ts';

test('expressions that let one choose only permissive licences', () => {
  for (const yes of [
    'MIT',
    'Apache-2.0 OR MIT',
    '(MIT OR CC0-1.0)',
    'MIT AND ISC',
    'GPL-3.0 OR MIT',
    '(MPL-2.0 OR (MIT AND 0BSD))',
  ])
    assert.ok(isPermissive(yes), yes);
  const no = [
    '',
    'unknown',
    'GPL-3.0',
    'MIT AND GPL-3.0',
    'MIT AND (GPL-3.0 OR LGPL-3.0)',
    'MIT OR',
    '(MIT',
    'MIT)',
    'MIT ISC',
    'mit or',
  ];
  for (const each of no) assert.ok(!isPermissive(each), each);
  // AND binds tighter than OR.
  assert.ok(isPermissive('MIT OR GPL-3.0 AND GPL-2.0'));
  assert.ok(!isPermissive('(MIT OR GPL-3.0) AND GPL-2.0'));
});

test('licence texts are known by their sentences', () => {
  const texts: [string | undefined, string][] = [
    ['MIT', 'Permission is hereby granted, free of\ncharge, to any person … copies or substantial portions'],
    ['Apache-2.0', 'Apache License\n   Version 2.0, January 2004'],
    ['BSD-3-Clause', 'Redistribution and use in source and binary forms … Neither the name of'],
    ['BSD-2-Clause', 'Redistribution and use in source and binary forms …'],
    ['ISC', 'Permission to use, copy, modify, and/or distribute this software for any purpose … provided that the'],
    ['0BSD', 'Permission to use, copy, modify, and/or distribute this software for any purpose is granted'],
    ['AGPL-3.0', 'GNU AFFERO GENERAL PUBLIC LICENSE Version 3'],
    ['GPL-3.0', 'GNU GENERAL PUBLIC LICENSE Version 3'],
    [undefined, 'All rights reserved.'],
  ];
  for (const [id, text] of texts) assert.equal(licenceOfText(text), id);
});

test('a file may state its own licence, and only in a plain form', () => {
  assert.equal(licenceOfHeader('// SPDX-License-Identifier: MIT OR Apache-2.0\ncode'), 'MIT OR Apache-2.0');
  assert.equal(licenceOfHeader('/* SPDX-License-Identifier: MIT */'), 'MIT');
  assert.equal(licenceOfHeader('no'), undefined);
  for (const bad of [7, '', 'x'.repeat(65), 'MIT\u001b[2J', '<b>']) assert.equal(cleanLicence(bad), undefined);
});
