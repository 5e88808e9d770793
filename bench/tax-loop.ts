/** A plain training loop for `tax.ts`: node tax-loop.ts HOME RUN SEAT. Prints `tokens milliseconds processor-milliseconds` after each segment. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, hashOf } from '@folkmoot/core';
import { parseManifest } from '@folkmoot/data';
import { type StateBytes, TensorWork } from '@folkmoot/node';
import { parseCharter } from '@folkmoot/records';
import { createEngine } from '@folkmoot/tensor/node';

const [home, run, seat] = process.argv.slice(2) as [string, string, string];
/** Straight from the file: nobody else uses this home meanwhile. */
const read = (id: Hash) => readFile(join(home, 'runs', run, 'store', 'objects', id.slice(0, 2), id.slice(2)));
const charter = parseCharter(await read(run), run);
if (!charter.ok) throw new Error(charter.reason);
const parsed = parseManifest(await read(charter.value.dataset.manifest));
if (parsed.kind === 'reject') throw new Error(parsed.reason);
const engine = await createEngine('native', { threads: 1 });
const work = new TensorWork(charter.value, engine, parsed.manifest, read);

let state: StateBytes = { params: await read(charter.value.initialBase), moments: work.zeroMoments() };
const { signal } = new AbortController();
for (let round = 1; ; round++) {
  const steps = (round - 1) * charter.value.stepsPerRound;
  const place = { round, seed: hashOf('tax', round), seat: Number(seat), skip: 0, carriedSteps: steps };
  let [startedMs, startedCpuMs] = [performance.now(), cpuMs()];
  for await (const end of work.train(place, state, signal)) {
    state = end;
    process.stdout.write(`${end.tokens} ${performance.now() - startedMs} ${cpuMs() - startedCpuMs}\n`);
    [startedMs, startedCpuMs] = [performance.now(), cpuMs()];
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
