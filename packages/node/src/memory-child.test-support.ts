/**
 * A process that does a member's heavy work of one round, for its peak memory: node memory-child.test-support.ts RULES ENGINE
 * PLAN. Trains a segment, re-executes it, encodes, aggregates, evaluates; prints what it had before and at most, bytes.
 *
 * What a round holds meanwhile is held here too: its base while it trains and encodes, its last state.
 */
import { bytesOf } from '@folkmoot/core';
import type { EngineKind, MemoryPlan } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { RunRules } from './presets.ts';
import { ASSIGNMENT, workOn } from './work.test-support.ts';

const [json, kind, plan] = process.argv.slice(2) as [string, EngineKind, MemoryPlan];
const rules = JSON.parse(json) as RunRules;
const { signal } = new AbortController();
const engine = await createEngine(kind, { threads: 1 });
const { work, initial } = workOn(engine, rules, { plan });
const idleBytes = process.memoryUsage.rss();

const base = bytesOf(initial());
const [update] = await round();
const { nextBase } = work.aggregate(
  base,
  ['a', 'b', 'c'].map((key) => ({ key, bytes: update! })),
);
const loss = await work.evaluate(nextBase);
console.log(JSON.stringify({ idleBytes, peakBytes: process.resourceUsage().maxRSS * 1024, loss }));
await work.close();
await engine.close();

async function round(): Promise<Uint8Array[]> {
  const start = { params: base, moments: work.zeroMoments() };
  let { params } = start;
  for await (const end of work.train(ASSIGNMENT, start, signal)) {
    params = end.params;
    await work.replay(ASSIGNMENT, 1, start, signal);
  }
  const encoding = work.encode(base, params, work.zeroError())!;
  return [encoding.update];
}
