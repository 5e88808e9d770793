/** Failures of three kinds: our bug asserts, a peer's conduct is a returned verdict, the world's trouble is a `WorldError`. */

/**
 * The world's trouble: a full disk, a missing file, a wrong option.
 *
 * `code` is kebab-case and stable (scripts may match it), `message` one sentence that states what happened, `facts` the
 * numbers and names in it, `help` the next step for the person who reads it.
 */
export class WorldError extends Error {
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly help: string;

  constructor(
    code: string,
    message: string,
    options: { facts?: Readonly<Record<string, string | number>>; help?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'WorldError';
    this.code = code;
    this.facts = options.facts ?? {};
    this.help = options.help ?? '';
  }
}

/** Stops on a bug of ours. Never for what a peer or the world did. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

export function isWorldError(error: unknown, code?: string): error is WorldError {
  return error instanceof WorldError && (code === undefined || error.code === code);
}
