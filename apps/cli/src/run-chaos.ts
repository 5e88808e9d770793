/** The chaos of `test/chaos`, for a person: what befalls whom, round by round, and the figures in the end. */
import { AssertionError } from 'node:assert';
import { WorldError } from '@folkmoot/core';
import { BLOWS, type BlowKind, type ChaosResult, chaos, sentenceOf } from '../../../test/chaos/index.ts';
import type { ChaosCommandOptions } from './commands/chaos.ts';
import type { Invocation } from './invocation.ts';
import { parseCount, parseDuration } from './run/take-part.ts';

const MOST_MEMBERS = 10;

export async function runChaos(call: Invocation, options: ChaosCommandOptions): Promise<void> {
  const { seed } = options;
  const members = membersOf(options.members);
  const kinds = kindsOf(options.only);
  const forMs = parseDuration(options.for);
  const result = await chaos({
    ...{ seed, members, forMs, kinds },
    founderDies: options.founderDies === true,
    signal: call.stopSignal(),
    onEvent: (event) => {
      call.object(event);
      call.say(sentenceOf(event));
    },
  }).catch((error) => {
    throw error instanceof AssertionError ? broken(error, seed) : error;
  });
  call.object({ kind: 'result', seed, members, forMs, ...result });
  for (const line of lines(result)) call.say(line);
}

function membersOf(text: string): number {
  const members = parseCount('--members', text, 3);
  if (members <= MOST_MEMBERS) return members;
  throw new WorldError('bad-number', `--members is at most ${MOST_MEMBERS} here: each is a process of 200 MB.`);
}

function kindsOf(names: readonly string[] = BLOWS): readonly BlowKind[] {
  const unknown = names.find((name) => !BLOWS.includes(name as BlowKind));
  if (unknown === undefined) return names as readonly BlowKind[];
  throw new WorldError('no-such-blow', `There is no blow "${unknown}".`, { help: `There are: ${BLOWS.join(', ')}.` });
}

function broken(error: AssertionError, seed: string): WorldError {
  return new WorldError('chaos-broke-it', error.message, {
    facts: { seed },
    help: 'The same seed deals the same blows, though not at the same moments of a round. Please report it with what is above.',
    cause: error,
  });
}

function lines(result: ChaosResult): string[] {
  const blows = Object.entries(result.blows).map(([kind, count]) => `${count} ${kind}`);
  return [
    '',
    `${result.rounds} rounds, ${result.voids} void; blows: ${blows.join(', ')}`,
    `longest wait for a round: ${(result.longestGapMs / 1000).toFixed(1)} s (allowed: ${result.allowedGapMs / 1000} s); mean ${(result.meanRoundMs / 1000).toFixed(1)} s`,
    `${result.paidSeats} of ${result.seats} settled seats were paid`,
    ...Object.entries(result.credits).map(([name, credits]) => `${name}: ${credits} credits`),
    'All headers agree, nobody was held to have cheated, everybody came back.',
  ];
}
