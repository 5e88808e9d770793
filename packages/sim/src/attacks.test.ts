/** Attacks on what is around the work: bytes that drip, logs of another run, two names for one update. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, type Handler, hashOf, isWorldError } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { type Offering, trainHonestly } from '@folkmoot/node';
import { entryBytes, signEntry, signRecord } from '@folkmoot/records';
import { PRETEND_PARAMETERS } from './pretend-work.ts';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';

test('a trainer that lets its opened bytes drip is not paid for its auditors’ silence', async () => {
  const run = new SimRun('drip', simCharter());
  for (let i = 0; i < 4; i++) run.add();
  const idle = run.add({ conduct: { offer: inventStates } });
  const size = 4 * PRETEND_PARAMETERS;
  replaceHandler(
    idle,
    'artifact',
    (honest, sleep) =>
      async function* (peer, request, signal) {
        let first = true;
        for await (const message of honest(peer, request, signal)) {
          if (first || message.length !== size) yield message;
          else for (const byte of message) yield await sleep(14_000, signal).then(() => Uint8Array.of(byte));
          first = false;
        }
      },
  );
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 8, 7_200_000), run.troubles().slice(0, 5).join('\n'));
  const fates = fatesOf(run, idle);
  assert.ok(fates.length > 0 && fates.every((fate) => fate === 'unavailable' || fate === 'tainted'), fates.join(' '));
  assert.equal(balanceOf(run.creator.state!.ledger, idle.account.id).earned, 0);
});

test('an entry of another run of the same creator proves no fork', async () => {
  const run = new SimRun('foreign', simCharter());
  for (let i = 0; i < 4; i++) run.add();
  const [creator, liar] = run.people;
  const other = hashOf('other run');
  const body = {
    run: other,
    round: 1,
    base: other,
    device: creator!.id,
    seq: 1,
    seen: { index: -1, id: other },
    term: 1,
  };
  const tick = signRecord({ kind: 'tick', ...body }, creator!.key);
  const foreign = entryBytes(
    signEntry({ index: 5, prev: hashOf('another entry'), atMs: 1, term: 1 }, tick, creator!.key),
  );
  replaceHandler(
    liar!,
    'log',
    () =>
      async function* () {
        yield foreign;
      },
  );
  await run.startAll();
  assert.ok(await run.until(() => creator!.state!.finalized >= 1));
  const failures: unknown[] = [];
  for (const person of run.people.slice(2)) person.member!.failed.catch((error) => failures.push(error));
  run.crash(creator!);
  await run.until(() => failures.length > 0, 120_000);
  assert.deepEqual(
    failures.map((error) => (isWorldError(error) ? error.code : error)),
    [],
  );
});

test('two accounts with one update earn nothing by it and stop nobody', async () => {
  const run = new SimRun('twins', simCharter());
  for (let i = 0; i < 5; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 2));
  const twin: Offering = async (bench, duty, signal) => {
    const honest = await trainHonestly(bench, duty, signal);
    const same = new Uint8Array(4 * PRETEND_PARAMETERS).fill(duty.round & 63);
    return { ...honest, ...bench.work.encode(same, same, bench.work.zeroError())! };
  };
  const twins = [run.add({ conduct: { offer: twin } }), run.add({ conduct: { offer: twin } })];
  for (const person of twins) await run.clock.drive(run.start(person));
  assert.ok(await run.until(() => run.creator.state!.finalized >= 6));
  assert.ok(twins.some((person) => fatesOf(run, person).length > 0));
  for (const person of twins) assert.equal(balanceOf(run.creator.state!.ledger, person.account.id).earned, 0);
});

/** Claims states that nobody trained, and serves them. */
const inventStates: Offering = async ({ artifacts, work, charter }, duty) => {
  const invented = (salt: number) =>
    artifacts.put(bytesOf(new Float32Array(PRETEND_PARAMETERS).fill(duty.round + salt / 8)));
  const segments = charter.stepsPerRound / charter.stepsPerSegment;
  const states = [];
  for (let i = 0; i < segments; i++) states.push({ params: await invented(2 * i), moments: await invented(2 * i + 1) });
  const update = work.encode(
    bytesOf(new Float32Array(PRETEND_PARAMETERS)),
    bytesOf(new Float32Array(PRETEND_PARAMETERS).fill(duty.round)),
    work.zeroError(),
  );
  return { states, ...update! };
};

function fatesOf(run: SimRun, person: SimPerson): string[] {
  return run.creator.events.flatMap((event) =>
    event.kind === 'settled' && event.settlement.device === person.id ? [event.settlement.outcome] : [],
  );
}

/** Puts a handler of the test's in the place of a person's own, from its next start on. */
function replaceHandler(
  person: SimPerson,
  protocol: string,
  make: (honest: Handler, sleep: (ms: number, signal: AbortSignal) => Promise<void>) => Handler,
): void {
  const boot = person.machine.boot.bind(person.machine);
  person.machine.boot = () => {
    const process = boot();
    const serve = process.network.serve.bind(process.network);
    process.network.serve = (name, handler, limits) =>
      serve(name, name === protocol ? make(handler, (ms, signal) => process.clock.sleep(ms, signal)) : handler, limits);
    return process;
  };
}
