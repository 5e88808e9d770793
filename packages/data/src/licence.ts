/** Licences: finding one, and whether it permits training on the text without conditions on the model. */

export const UNKNOWN_LICENCE = 'unknown';

const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
]);

/** Sentences that are in one licence and no other, the more particular first. */
const SENTENCES: readonly (readonly [id: string, ...sentences: RegExp[]])[] = [
  ['AGPL-3.0', /gnu affero general public license/, /version 3/],
  ['LGPL-3.0', /gnu lesser general public license/, /version 3/],
  ['GPL-3.0', /gnu general public license/, /version 3/],
  ['GPL-2.0', /gnu general public license/, /version 2/],
  ['MPL-2.0', /mozilla public license/, /2\.0/],
  ['Apache-2.0', /apache license/, /version 2\.0/],
  ['BSD-3-Clause', /redistribution and use in source and binary forms/, /neither the name/],
  ['BSD-2-Clause', /redistribution and use in source and binary forms/],
  ['ISC', /permission to use, copy, modify, and(\/or)? distribute this software for any purpose/, /provided that/],
  ['0BSD', /permission to use, copy, modify, and(\/or)? distribute this software for any purpose/],
  ['BlueOak-1.0.0', /blue oak model license/],
  ['MIT', /permission is hereby granted, free of charge/, /substantial portions/],
  ['Unlicense', /this is free and unencumbered software/],
  ['CC0-1.0', /cc0 1\.0 universal/],
  ['CC-BY-SA-4.0', /attribution-sharealike 4\.0 international/],
  ['CC-BY-4.0', /attribution 4\.0 international/],
];

/** The SPDX id of a licence file's text, or `undefined`. A guess from telling sentences, not legal advice. */
export function licenceOfText(text: string): string | undefined {
  const plain = text.toLowerCase().replace(/\s+/g, ' ');
  return SENTENCES.find(([, ...sentences]) => sentences.every((sentence) => sentence.test(plain)))?.[0];
}

/** The licence that a file states in its own first lines (`SPDX-License-Identifier`), or `undefined`. */
export function licenceOfHeader(text: string): string | undefined {
  return cleanLicence(/SPDX-License-Identifier:[ \t]*([^\r\n*]+)/.exec(text.slice(0, 2000))?.[1]?.trim());
}

/** `value` where it could be an SPDX expression, else `undefined`: manifests are read by strangers. */
export function cleanLicence(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9.+() -]{1,64}$/.test(value) ? value : undefined;
}

/** Whether the SPDX expression lets one choose only permissive licences: `MIT`, `(MPL-2.0 OR Apache-2.0)`. */
export function isPermissive(expression: string): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  // SPDX gives AND the higher precedence.
  const alternatives = (): boolean => {
    let any = conjunction();
    while (words[at] === 'OR') {
      at++;
      any = conjunction() || any;
    }
    return any;
  };
  const conjunction = (): boolean => {
    let all = licence();
    while (words[at] === 'AND') {
      at++;
      all = licence() && all;
    }
    return all;
  };
  const licence = (): boolean => {
    const word = words[at++];
    if (word !== '(') return PERMISSIVE.has(word ?? '');
    const inner = alternatives();
    return words[at++] === ')' && inner;
  };
  return alternatives() && at === words.length;
}
