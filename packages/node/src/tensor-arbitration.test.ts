/** Disputes over real training: the search plays to one operator, and judges run it on claimed bytes alone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Hash, isWorldError, sha256, WorldError } from '@folkmoot/core';
import { answerFrom, type Game, makeMove, newGame, pointAt, pointAtFirst, refusal } from '@folkmoot/protocol';
import { stateLeaf } from '@folkmoot/records';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { Fetch, Place } from './arbitration.ts';
import { engineRules } from './presets.ts';
import { ASSIGNMENT, TINY_RULES, workOn } from './work.test-support.ts';
import type { StateBytes } from './work.ts';

const { signal } = new AbortController();
let exact: Engine;
let native: Engine;
before(async () => {
  exact = await createEngine('exact', { threads: 1 });
  native = await createEngine('native', { threads: 1 });
});
after(() => Promise.all([exact.close(), native.close()]));

/** What peers serve. */
class Shelf {
  readonly #bytes = new Map<Hash, Uint8Array>();
  readonly keep = async (bytes: Uint8Array) => void this.#bytes.set(sha256(bytes), Uint8Array.from(bytes));
  readonly fetch: Fetch = async (id, maxBytes) => {
    const bytes = this.#bytes.get(id);
    if (!bytes || bytes.length > maxBytes) throw new WorldError('artifact-unavailable', `no ${id.slice(0, 8)}`);
    return bytes;
  };
}

interface Claims {
  readonly steps: Hash[];
  operators(step: number): Promise<Hash[]>;
}

type Pointing = (game: Game) => Promise<ReturnType<typeof pointAt>>;

/** Plays to the judges; `undefined` where the accuser takes its finding back. */
async function search(steps: number, end: Hash, claims: Claims, point: Pointing): Promise<Game | undefined> {
  const game = newGame();
  while (game.turn !== 'judges') {
    const leaves = game.stage === 'steps' ? claims.steps : await claims.operators(game.step!.index);
    const move = game.turn === 'trainer' ? answerFrom(game, leaves, sha256(new Uint8Array())) : await point(game);
    assert.equal(refusal(game, { steps, end }, move), null);
    if (move.is === 'concede') return undefined;
    makeMove(game, move);
  }
  return game;
}

async function trained(work: ReturnType<typeof workOn>['work'], start: StateBytes): Promise<StateBytes> {
  for await (const end of work.train(ASSIGNMENT, start, signal)) return end;
  throw new Error('a round has a segment');
}

const leafOfEnd = ({ params, moments }: StateBytes) => stateLeaf([sha256(params), sha256(moments)]);

test('exact: the steps end in what was paid; every operator that was tried, wrong, is found and judged', async () => {
  const rules = { ...TINY_RULES, engine: engineRules('exact') };
  const { work, initial } = workOn(exact, rules);
  const start = { params: new Uint8Array(initial().buffer), moments: work.zeroMoments() };
  const place: Place = { assignment: ASSIGNMENT, segment: 1, start };
  const honest = await work.arbitration.steps(place, signal);
  assert.equal(honest.length, rules.stepsPerSegment);
  assert.equal(honest.at(-1), leafOfEnd(await trained(work, start)));
  for (const [step, share] of [
    [0, 0],
    [0, 0.5],
    [1, 0.3],
    [1, 1],
  ] as const) {
    const shelf = new Shelf();
    const truth = await work.arbitration.operators(place, step, signal, shelf.keep);
    await work.arbitration.steps(place, signal, shelf.keep);
    const wrong = Math.floor(share * (truth.length - 1));
    const other = sha256(Uint8Array.of(step, wrong));
    // From the wrong one on, the liar's results are whatever they are; its step ends elsewhere, and so does the segment.
    const operators = truth.map((leaf, i) => (i < wrong ? leaf : sha256(Uint8Array.of(step, i, 7))));
    operators[wrong] = other;
    const steps = honest.map((leaf, i) =>
      i < step ? leaf : i === step ? operators.at(-1)! : sha256(Uint8Array.of(i)),
    );
    const claims = { steps, operators: async () => operators };
    const game = await search(steps.length, steps.at(-1)!, claims, async (at) =>
      pointAtFirst(at, at.stage === 'steps' ? honest : truth),
    );
    assert.deepEqual([game!.step!.index, game!.operator!.index], [step, wrong]);
    const claim = { step, operator: wrong, steps, operators };
    assert.equal(await work.arbitration.follows(place, claim, shelf.fetch, signal), false);
    const right = { step, operator: wrong, steps: honest, operators: truth };
    assert.equal(await work.arbitration.follows(place, right, shelf.fetch, signal), true);
  }
  await work.close();
});

/** The engines whose claims are compared by distance; a GPU is a software adapter here, where there is one. */
const gpu = await createEngine('webgpu', { softwareGpu: true, gpuOnly: true }).catch((error) => {
  if (isWorldError(error, 'engine-unavailable')) return undefined;
  throw error;
});
after(() => gpu?.close());

for (const kind of ['native', 'webgpu'] as const)
  test(`${kind}: honest states are inside of the one-step bound, one that left out its work is found, and judges agree`, {
    skip: kind === 'webgpu' && !gpu,
  }, async () => {
    const engine = kind === 'native' ? native : gpu!;
    const { work, initial } = workOn(engine, { ...TINY_RULES, engine: engineRules(kind) }, { openExact });
    const start = { params: new Uint8Array(initial().buffer), moments: work.zeroMoments() };
    const place: Place = { assignment: ASSIGNMENT, segment: 1, start };
    const shelf = new Shelf();
    const paid = await trained(work, start);
    const honest = await work.arbitration.steps(place, signal, shelf.keep, paid);
    assert.equal(
      honest.at(-1),
      leafOfEnd(paid),
      'the steps end in what was paid, whether the engine repeats its bits or not',
    );
    assert.equal(await work.arbitration.wrongStep(place, honest, shelf.fetch, signal), undefined);
    for (const [step, leaf] of honest.entries()) {
      const from = { steps: honest, fetch: shelf.fetch };
      const operators = await work.arbitration.operators(place, step, signal, shelf.keep, from);
      const last = operators.length - 1;
      // The optimizer's result is the trainer's own state; all before it is exact.
      operators[last] = leaf;
      assert.equal(
        await work.arbitration.follows(place, { step, operator: last, steps: honest, operators }, shelf.fetch, signal),
        true,
        'the honest end of a step follows within the bound',
      );
      const lies = [...operators.slice(0, 3), sha256(Uint8Array.of(9)), ...operators.slice(4)];
      const lie = { step, operator: 3, steps: honest, operators: lies };
      assert.equal(await work.arbitration.follows(place, lie, shelf.fetch, signal), false);
    }
    // A step that moved nothing: its end is its start.
    const idle = [...honest];
    const [params, moments] = [start.params, new Uint8Array(work.zeroMoments().length)];
    for (const part of [params, moments]) await shelf.keep(part);
    idle[honest.length - 1] = await keepList(shelf, [params, moments]);
    const found = await work.arbitration.wrongStep(place, idle, shelf.fetch, signal);
    assert.equal(found, honest.length - 1);
    const from = { steps: idle, fetch: shelf.fetch };
    const operators = await work.arbitration.operators(place, found!, signal, shelf.keep, from);
    const truth = [...operators];
    operators[operators.length - 1] = idle[found!]!;
    const game = await search(
      idle.length,
      idle.at(-1)!,
      { steps: idle, operators: async () => operators },
      async (at) => (at.stage === 'steps' ? pointAt(at, found!) : pointAtFirst(at, truth)),
    );
    assert.equal(game!.operator!.index, operators.length - 1);
    const claim = { step: found!, operator: operators.length - 1, steps: idle, operators };
    assert.equal(await work.arbitration.follows(place, claim, shelf.fetch, signal), false);
    await work.close();
  });

test('an engine that gives other bits when it is asked again defends what it was paid for, and nothing else', async () => {
  const rules = { ...TINY_RULES, engine: engineRules('native') };
  // The same work on two engines stands for one engine asked twice.
  const [first, again] = [native, exact].map((engine) => workOn(engine, rules, { openExact }));
  const start = { params: new Uint8Array(first!.initial().buffer), moments: first!.work.zeroMoments() };
  const place: Place = { assignment: ASSIGNMENT, segment: 1, start };
  const paid = await trained(first!.work, start);
  const { arbitration } = again!.work;
  assert.notEqual((await arbitration.steps(place, signal)).at(-1), leafOfEnd(paid));
  const shelf = new Shelf();
  const steps = await arbitration.steps(place, signal, shelf.keep, paid);
  assert.equal(steps.at(-1), leafOfEnd(paid));
  assert.equal(await arbitration.wrongStep(place, steps, shelf.fetch, signal), undefined);
  const idle = { params: start.params, moments: first!.work.zeroMoments() };
  assert.notEqual((await arbitration.steps(place, signal, shelf.keep, idle)).at(-1), leafOfEnd(idle));
  await Promise.all([first!.work.close(), again!.work.close()]);
});

test('judges do not believe shapes: bytes of another size, and lists of another length, do not follow', async () => {
  const { work, initial } = workOn(exact, { ...TINY_RULES, engine: engineRules('exact') });
  const start = { params: new Uint8Array(initial().buffer), moments: work.zeroMoments() };
  const place: Place = { assignment: ASSIGNMENT, segment: 1, start };
  const shelf = new Shelf();
  const steps = await work.arbitration.steps(place, signal, shelf.keep);
  const operators = await work.arbitration.operators(place, 0, signal, shelf.keep);
  const claim = { step: 0, operator: operators.length - 1, steps, operators };
  assert.equal(await work.arbitration.follows(place, claim, shelf.fetch, signal), true);
  const short = [...operators];
  await shelf.keep(new Uint8Array(8));
  short[operators.length - 2] = sha256(new Uint8Array(8));
  assert.equal(await work.arbitration.follows(place, { ...claim, operators: short }, shelf.fetch, signal), false);
  assert.equal(
    await work.arbitration.follows(place, { ...claim, operators: operators.slice(1) }, shelf.fetch, signal),
    false,
  );
  assert.equal(await work.arbitration.follows(place, { ...claim, steps: steps.slice(1) }, shelf.fetch, signal), false);
  await work.close();
});

const openExact = () => createEngine('exact', { threads: 1 });

async function keepList(shelf: Shelf, parts: Uint8Array[]): Promise<Hash> {
  const list = new Uint8Array(32 * parts.length);
  for (const [i, part] of parts.entries()) list.set(Buffer.from(sha256(part), 'hex'), 32 * i);
  await shelf.keep(list);
  return sha256(list);
}
