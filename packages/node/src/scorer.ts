/** A witness measures, after the round, by how much more an update helps on its trainer's rows than on others. */
import type { Duty } from '@folkmoot/protocol';
import { MAX_HELP } from '@folkmoot/records';
import { likely } from './expectations.ts';
import type { Receipt } from './voice.ts';
import type { Workbench } from './workbench.ts';

export type ScoreDuty = Extract<Duty, { kind: 'score' }>;

export async function scoreHelp(bench: Workbench, duty: ScoreDuty, signal: AbortSignal): Promise<Receipt | undefined> {
  const { artifacts, bases, log, voice, work } = bench;
  const { round, base, previous, seed, rowsSeed, subject } = duty;
  const wanted = { maxBytes: work.maxUpdateBytes, from: likely(log.state, subject.trainer), signal };
  const update = await artifacts.get(subject.update, wanted);
  const start = await bases.start(log.state, { base, previous }, signal);
  const nats = await work.help(start, update, { seed, seat: subject.seat, rowsSeed });
  signal.throwIfAborted();
  if (!Number.isFinite(nats)) return undefined;
  const help = Math.max(-MAX_HELP, Math.min(MAX_HELP, Math.round(nats * 1e6))) || 0;
  return voice.say('score', { scores: [{ trainer: subject.trainer, help }] }, { round, base });
}
