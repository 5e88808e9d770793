/**
 * Inputs that are nearly right: valid ones with a few changes of the kinds that break decoders.
 *
 * Bytes of no structure are refused at the first look; what is wrong in one place reaches the code behind it.
 */
import { below, concat, type Random, randomBytes } from '@folkmoot/core';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One to four changes to a copy of `bytes`; `others` are valid inputs to splice with. */
export function mutateBytes(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let count = 1 + below(random, 4); count > 0; count--) result = changeBytes(random, result, others);
  return result;
}

/** One to three changes somewhere in a copy of `value`. */
export function mutateJson(random: Random, value: Json): Json {
  let result = structuredClone(value);
  for (let count = 1 + below(random, 3); count > 0; count--) result = changeSomewhere(random, result);
  return result;
}

const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 53, 2 ** 63];

function changeBytes(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = below(random, bytes.length + 1);
  const to = at + below(random, Math.min(bytes.length - at, 64) + 1);
  switch (below(random, 8)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << below(random, 8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.uint32();
      return bytes;
    case 2:
      return overwriteInteger(random, bytes, at);
    case 3:
      return concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 4:
      return concat([bytes.subarray(0, to), bytes.subarray(at)]);
    case 5:
      return concat([bytes.subarray(0, at), randomBytes(random, below(random, 16)), bytes.subarray(at)]);
    case 6:
      return bytes.slice(0, at);
    default: {
      const other = pick(random, others);
      return concat([bytes.subarray(0, at), other.subarray(below(random, other.length + 1))]);
    }
  }
}

/** Lengths, counts and offsets are where memory is asked for. */
function overwriteInteger(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  const width = pick(random, [1, 2, 4, 8]);
  const integer = new Uint8Array(8);
  new DataView(integer.buffer).setBigUint64(0, BigInt(pick(random, NUMBERS)), true);
  const part = integer.subarray(0, width);
  if (below(random, 2) === 0) part.reverse();
  bytes.set(part.subarray(0, Math.max(0, bytes.length - at)), at);
  return bytes;
}

const STRINGS = [
  '',
  '0',
  '-1',
  '1e400',
  'NaN',
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  '../../x',
  'é'.repeat(300),
];

function changeSomewhere(random: Random, value: Json): Json {
  if (value !== null && typeof value === 'object' && below(random, 8) > 0) {
    const keys = Object.keys(value);
    if (keys.length > 0) {
      const key = pick(random, keys) as never;
      (value as Record<string, Json>)[key] = changeSomewhere(random, (value as Record<string, Json>)[key]!);
      return value;
    }
  }
  if (Array.isArray(value)) return changeArray(random, value);
  if (value !== null && typeof value === 'object') return changeObject(random, value);
  if (typeof value === 'number' && below(random, 2) === 0)
    return pick(random, [value + 1, value - 1, -value, value / 2, 2 * value]);
  if (typeof value === 'string' && below(random, 2) === 0) return changeString(random, value);
  return anything(random);
}

function changeArray(random: Random, value: Json[]): Json {
  const at = below(random, value.length + 1);
  switch (below(random, 4)) {
    case 0:
      return value.toSpliced(at, 1);
    case 1:
      return value.toSpliced(at, 0, value[below(random, value.length || 1)] ?? anything(random));
    case 2:
      return value.length > 0 ? Array.from({ length: 2000 }, (_, i) => value[i % value.length]!) : [[]];
    default:
      return anything(random);
  }
}

function changeObject(random: Random, value: { [key: string]: Json }): Json {
  const keys = Object.keys(value);
  const key = keys.length > 0 ? pick(random, keys) : 'x';
  switch (below(random, 4)) {
    case 0: {
      const { [key]: _gone, ...rest } = value;
      return rest;
    }
    case 1:
      return { ...value, [pick(random, STRINGS)]: anything(random) };
    case 2:
      return keys.length > 1 ? { ...value, [key]: structuredClone(value[pick(random, keys)]!) } : value;
    default:
      return anything(random);
  }
}

function changeString(random: Random, value: string): string {
  const at = below(random, value.length + 1);
  const letter = String.fromCharCode(below(random, 3) === 0 ? below(random, 0x10000) : 32 + below(random, 95));
  return value.slice(0, at) + (below(random, 2) === 0 ? letter : '') + value.slice(at + below(random, 2));
}

function anything(random: Random): Json {
  switch (below(random, 8)) {
    case 0:
      return null;
    case 1:
      return below(random, 2) === 0;
    case 2:
      return pick(random, NUMBERS) * pick(random, [1, -1, 0.5]);
    case 3:
      return pick(random, STRINGS);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return 'x'.repeat(below(random, 100_000));
    default:
      return `${DEEP}${below(random, 20_000)}`;
  }
}

/** Stands for so many nested arrays, which `JSON.stringify` itself could not write. */
const DEEP = '\u27eadeep ';

/** As JSON, with the deep ones written out. */
export function textOf(value: Json): string {
  return JSON.stringify(value).replace(/"\u27eadeep (\d+)"/g, (_, depth) => '['.repeat(depth) + ']'.repeat(depth));
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}
