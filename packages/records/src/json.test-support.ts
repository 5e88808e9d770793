/** JSON values with one thing changed: what forgers would try. */
import { id } from './samples.test-support.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Other values of the same shape, so that a schema alone does not notice. */
export function othersFor(value: Json): Json[] {
  if (typeof value === 'number') return [value + 1, -1, value + 0.5];
  if (typeof value === 'boolean') return [!value];
  if (value === null) return [id('not null')];
  const text = value as string;
  const flipped = /[0-9a-f]$/.test(text) ? `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}` : `${text}x`;
  return [flipped, text.toUpperCase() === text ? `${text}a` : text.toUpperCase(), ''].filter((other) => other !== text);
}

export function pathsOf(value: Json, path: string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]));
}

export function at(value: Json, path: string[]): Json {
  return path.reduce((inner, key) => (inner as Record<string, Json>)[key]!, value);
}

/** A copy with another value at `path`; removed where that is `undefined`. */
export function replaced(value: Json, path: string[], other: Json | undefined): Json {
  const copy = structuredClone(value) as Record<string, Json>;
  const parent = at(copy, path.slice(0, -1)) as Record<string, Json>;
  const last = path.at(-1)!;
  if (other === undefined) Array.isArray(parent) ? parent.splice(Number(last), 1) : delete parent[last];
  else parent[last] = other;
  return copy;
}
