/**
 * A member's work on one round of one segment, for `large.ts`: node large-work.ts RULES PLAN THREADS. Prints JSON: bytes before
 * and at most, each step's loss, milliseconds and processor milliseconds of the segment.
 */
import { bytesOf } from '@folkmoot/core';
import type { RunRules } from '@folkmoot/node';
import type { MemoryPlan } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { ASSIGNMENT, workOn } from '../packages/node/src/work.test-support.ts';

const [json, plan, threads] = process.argv.slice(2) as [string, MemoryPlan, string];
const engine = await createEngine('native', { threads: Number(threads) });
const { work, initial } = workOn(engine, JSON.parse(json) as RunRules, { plan });
const idleBytes = process.memoryUsage.rss();
const base = bytesOf(initial());
const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
let last = base;
const losses: number[] = [];
for await (const end of work.train(
  ASSIGNMENT,
  { params: base, moments: work.zeroMoments() },
  new AbortController().signal,
)) {
  losses.push(...end.losses);
  last = end.params;
}
const [ms, cpu] = [performance.now() - startMs, process.cpuUsage(startCpu)];
const encoding = work.encode(base, last, work.zeroError());
const updates = encoding ? [{ key: 'a', bytes: encoding.update }] : [];
const { nextBase } = work.aggregate(base, updates);
const holdoutLoss = await work.evaluate(nextBase);
const cpuMs = (cpu.user + cpu.system) / 1000;
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ idleBytes, peakBytes, losses, holdoutLoss, ms, cpuMs }));
await work.close();
await engine.close();
