/** Which files are text that a language model should read, by name. */

const TEXT = 'txt text md mdx markdown rst adoc asciidoc org tex textile wiki';
const SOURCE =
  'ts tsx mts cts js jsx mjs cjs py pyi rb rs go java kt kts scala groovy clj cljs c h cc cpp cxx hh hpp hxx cs fs ' +
  'swift m mm php pl pm lua r jl hs lhs ml mli ex exs erl elm dart zig nim v sv vhd sol vy sql sh bash zsh fish ps1 ' +
  'vim el lisp scm rkt css scss less html htm vue svelte astro proto graphql wgsl glsl hlsl cu cl asm s f90 f95 pas';
const EXTENSIONS = new Set(`${TEXT} ${SOURCE}`.split(' '));
const PLAIN_NAMES =
  /^(readme|licen[cs]e|copying|changelog|changes|contributing|authors|notice|news|todo|makefile|dockerfile)$/i;

/** `jsonl` holds one document on each line, `parquet` one in each row, `text` is one. */
export type FileType = 'text' | 'jsonl' | 'parquet' | 'unsupported';

/** The type of a file of this name (without its folder), looking through `.gz`. */
export function fileType(name: string): FileType {
  if (isGzipName(name)) {
    const inner = fileType(name.slice(0, -3));
    // Parquet is read from its end, which gzip hides; its pages are compressed anyway.
    return inner === 'parquet' || isGzipName(name.slice(0, -3)) ? 'unsupported' : inner;
  }
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return PLAIN_NAMES.test(name) ? 'text' : 'unsupported';
  const extension = name.slice(dot + 1).toLowerCase();
  if (extension === 'jsonl' || extension === 'ndjson') return 'jsonl';
  if (extension === 'parquet') return 'parquet';
  return EXTENSIONS.has(extension) ? 'text' : 'unsupported';
}

export function isGzipName(name: string): boolean {
  return /.\.gz$/i.test(name);
}
