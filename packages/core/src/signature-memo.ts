/**
 * Signatures that this process has checked before.
 *
 * For simulations: a thousand members of one process check the same thousand entries. What is remembered is the answer to
 * exactly this device, message and signature, so that nothing but time is saved.
 */

interface Answer {
  readonly message: Uint8Array;
  readonly answer: boolean | string | undefined;
}

let answers: Map<string, Answer> | undefined;
let mostAnswers = 0;

/** Remembers up to `limit` answers from now on; 0 forgets them and stops. */
export function rememberSignatures(limit: number): void {
  answers = limit > 0 ? new Map() : undefined;
  mostAnswers = limit;
}

/** What `check` says of `message` and `signature`, or what it said before to the very same question. */
export function answered<T extends boolean | string | undefined>(
  signer: string,
  signature: string,
  message: Uint8Array,
  check: () => T,
): T {
  if (!answers) return check();
  const name = signer + signature;
  const known = answers.get(name);
  if (known && isSame(known.message, message)) return known.answer as T;
  const answer = check();
  if (answers.size >= mostAnswers) answers.clear();
  answers.set(name, { message: message.slice(), answer });
  return answer;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
