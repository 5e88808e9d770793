/** `why --proof`: whether two signed statements contradict each other. Needs no run, no home and no network: signatures do. */
import { readFile, stat } from 'node:fs/promises';
import { type DeviceId, isHash, WorldError } from '@folkmoot/core';
import { type Equivocation, proveEquivocation } from '@folkmoot/protocol';
import { envelopeOf, verifyEntry } from '@folkmoot/records';
import { openRun } from './open-run.ts';
import { Story } from './story.ts';
import type { Explanation } from './subject.ts';

/** Two entries with their records, and room for what is around them. */
const MAX_PROOF_BYTES = 2 ** 18;
const HELP =
  'A proof is {"run", "first", "second"} as members keep it (runs/RUN/cells/fork-…), a line of "folkmoot log --kind fault --json", or two signed records or log entries, one a line.';

/** In words, for what stands at one place. */
const PLACES: Readonly<Record<Equivocation['what'], string>> = {
  entry: 'two log entries for one place of one term',
  commit: 'two commits in one round',
  header: 'two headers after one, in one term',
  seal: 'seals of two headers after one, in one term',
  vote: 'two votes for one term',
  result: 'two results of one audit',
};

/** Throws `proof-unreadable`, `proves-nothing`. */
export async function explainProof(home: string, path: string, by?: string): Promise<Explanation> {
  const { run, statements } = statementsIn(await contentOf(path), path);
  const proven = prove(run, statements, by);
  if (!proven)
    throw new WorldError('proves-nothing', 'These two statements prove nothing.', {
      facts: { file: path },
      help: 'A proof needs two statements of one device about one place, both signed by it, with different content. Log entries do not say who signed them: give the sequencer’s device with --by.',
    });
  const { device, what, first, second } = proven.found;
  const known = await whatIsKnown(home, proven.run, device);
  const facts = { proves: true, run: proven.run, device, what, first, second, ...known };
  const name = known ? `${known.name} (device ${device})` : `Device ${device}`;
  return {
    facts,
    lines: [
      `${name} has signed ${PLACES[what]}: both signatures hold, and an honest device signs one.`,
      `run     ${proven.run}`,
      `first   ${first}`,
      `second  ${second}`,
      ...(known
        ? [
            known.banned
              ? `The log of this run says so too: it is never drawn again.`
              : 'The log of this run, as far as it is here, does not say so yet.',
          ]
        : []),
    ],
  };
}

interface Statements {
  /** As the file says; each statement says it too. */
  readonly run: string | undefined;
  readonly statements: readonly unknown[];
}

async function contentOf(path: string): Promise<string> {
  let found = `it is larger than ${MAX_PROOF_BYTES} bytes`;
  try {
    if ((await stat(path)).size <= MAX_PROOF_BYTES) return await readFile(path, 'utf8');
  } catch (error) {
    found = (error as Error).message;
  }
  throw unreadable(path, found);
}

function statementsIn(text: string, path: string): Statements {
  const values = jsonIn(text);
  if (values === undefined) throw unreadable(path, 'not JSON');
  const [first] = values;
  const proof = values.length === 1 && !Array.isArray(first) ? proofIn(first) : undefined;
  const statements = proof?.statements ?? (values.length === 1 && Array.isArray(first) ? first : values);
  if (statements.length !== 2) throw unreadable(path, `${statements.length} statements where two are needed`);
  return { run: proof?.run, statements: statements.map(parsed) };
}

/** The whole as one value, or each line as one. */
function jsonIn(text: string): unknown[] | undefined {
  const whole = tryJson(text);
  if (whole !== undefined) return [whole];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const values = lines.map(tryJson);
  return values.length === 0 || values.includes(undefined) ? undefined : values;
}

/** `{run, first, second}`, or a record or a printed entry in whose body these are. */
function proofIn(value: unknown): Statements | undefined {
  const { body, ...outer } = (value ?? {}) as { body?: object };
  const { run, first, second } = (body ?? outer) as { run?: unknown; first?: unknown; second?: unknown };
  if (first === undefined || second === undefined) return undefined;
  return { run: isHash(run) ? run : undefined, statements: [first, second] };
}

function prove(said: string | undefined, statements: readonly unknown[], by: string | undefined) {
  const run = said ?? runOf(statements[0]);
  if (run === undefined) return undefined;
  // Whoever orders the log says something in it, too: a tick, or the votes for its term.
  const signers = new Set([...(by === undefined ? [] : [by]), ...statements.flatMap(speakerOf)]);
  for (const signer of signers.size === 0 ? [''] : signers) {
    const [first, second] = statements.map((statement) => JSON.stringify(sealed(statement, signer)));
    const found = proveEquivocation(run, first!, second!);
    if (found) return { run, found };
  }
  return undefined;
}

/** A log entry as the envelope that its sequencer signed, where `signer` is that; anything else as it is. */
function sealed(statement: unknown, signer: DeviceId): unknown {
  const entry = isHash(signer) ? verifyEntry(statement, signer) : undefined;
  return entry?.ok ? envelopeOf(entry.value, signer) : statement;
}

function runOf(statement: unknown): string | undefined {
  const { body, envelope, record } = (statement ?? {}) as {
    body?: { run?: unknown };
    envelope?: { run?: unknown };
    record?: { body?: { run?: unknown } };
  };
  const run = body?.run ?? envelope?.run ?? record?.body?.run;
  return isHash(run) ? run : undefined;
}

function speakerOf(statement: unknown): DeviceId[] {
  const { record } = (statement ?? {}) as { record?: { body?: { device?: unknown } } };
  return isHash(record?.body?.device) ? [record.body.device] : [];
}

/** Where this home has the run: who that is, and whether its log knows. */
async function whatIsKnown(home: string, run: string, device: DeviceId) {
  try {
    const { state } = await Story.read(await openRun(home, run));
    const member = state.members[device];
    return member && { name: member.name, banned: member.banned };
  } catch (error) {
    if (error instanceof WorldError) return undefined;
    throw error;
  }
}

const parsed = (value: unknown) => (typeof value === 'string' ? tryJson(value) : value);

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(path: string, found: string): WorldError {
  return new WorldError('proof-unreadable', 'The file does not hold a proof that can be read.', {
    facts: { file: path, found },
    help: HELP,
  });
}
