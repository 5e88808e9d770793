/**
 * One corrupted operator among 1,000 steps of 1,000 operators is always found, and the honest side never loses.
 *
 * An operator here is one bijection of an integer, so that an error never heals by itself; judges run one of them, as real
 * judges run one operator of a program.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, type Hash, SeededRandom } from '@folkmoot/core';
import { type Move, movesOfSearch } from '@folkmoot/records';
import { type Game, makeMove, newGame, refusal } from './dispute-game.ts';
import { answerFrom, pointAt, pointAtFirst } from './dispute-players.ts';

const STEPS = 1000;
const OPERATORS = 1000;
const START = 12_345;
const LIST = 'a'.repeat(64);

const leafOf = (value: number): Hash => (value >>> 0).toString(16).padStart(64, '0');

/** What operator `index` of `step` gives. */
function operator(step: number, index: number, input: number): number {
  const mixed = Math.imul(input ^ (step * OPERATORS + index), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

interface Place {
  readonly step: number;
  readonly operator: number;
}

/** Results of a step's operators, one of them wrong. */
function resultsOf(start: number, step: number, wrong?: Place): number[] {
  const results: number[] = [];
  let value = start;
  for (let index = 0; index < OPERATORS; index++) {
    value = operator(step, index, value);
    if (wrong?.step === step && wrong.operator === index) value = (value + 1) >>> 0;
    results.push(value);
  }
  return results;
}

/** States after all steps. */
function statesOf(wrong?: Place): number[] {
  const states = wrong ? HONEST.slice(0, wrong.step) : [];
  for (let step = states.length; step < STEPS; step++) {
    let value = states.at(-1) ?? START;
    for (let index = 0; index < OPERATORS; index++) {
      value = operator(step, index, value);
      if (wrong?.step === step && wrong.operator === index) value = (value + 1) >>> 0;
    }
    states.push(value);
  }
  return states;
}

const HONEST = statesOf();

/** What a side claims or holds for true: the states, and the results of a step. */
interface Belief {
  readonly states: readonly Hash[];
  readonly results: (step: number) => readonly Hash[];
}

function beliefOf(wrong?: Place): Belief {
  const states = wrong ? statesOf(wrong) : HONEST;
  const results = (step: number) => resultsOf(states[step - 1] ?? START, step, wrong).map(leafOf);
  return { states: states.map(leafOf), results };
}

type Player = (game: Game) => Move | 'silent';
type Result = { readonly end: 'trainer' | 'accuser' | 'silent trainer' | 'withdrawn'; readonly game: Game };

/** Plays until somebody is silent (a refused move is silence) or the judges have the word. */
function play(end: Hash, trainer: Player, accuser: Player, claimed: Belief): Result {
  const game = newGame();
  const frame = { steps: STEPS, end };
  while (game.turn !== 'judges') {
    const isTrainer = game.turn === 'trainer';
    const move = isTrainer ? trainer(game) : accuser(game);
    if (move === 'silent' || refusal(game, frame, move) !== null)
      return { end: isTrainer ? 'silent trainer' : 'withdrawn', game };
    if (move.is === 'concede') return { end: 'withdrawn', game };
    makeMove(game, move);
  }
  return { end: judge(game, claimed), game };
}

/** Runs the one operator from the claimed input. The list of another length is no list of a step. */
function judge({ step, operator: place, operators }: Game, claimed: Belief): 'trainer' | 'accuser' {
  if (operators!.leaves !== OPERATORS) return 'trainer';
  const before = step!.index === 0 ? leafOf(START) : claimed.states[step!.index - 1]!;
  const input = place!.index === 0 ? before : claimed.results(step!.index)[place!.index - 1]!;
  const mine = operator(step!.index, place!.index, Number.parseInt(input, 16));
  return leafOf(mine) === place!.hash ? 'accuser' : 'trainer';
}

const honestTrainer =
  (belief: Belief): Player =>
  (game) =>
    answerFrom(game, game.stage === 'steps' ? belief.states : belief.results(game.step!.index), LIST);

const honestAccuser: Player = (game) =>
  pointAtFirst(game, game.stage === 'steps' ? TRUTH.states : TRUTH.results(game.step!.index));

const TRUTH = beliefOf();

test('a corrupted operator is found wherever it is, in eight moves', () => {
  const random = new SeededRandom('places');
  const shift = below(random, OPERATORS);
  // Spread over the steps and over the operators.
  for (let step = 0; step < STEPS; step += 9) {
    const wrong = { step, operator: (step * 7 + shift) % OPERATORS };
    const belief = beliefOf(wrong);
    const { end, game } = play(belief.states.at(-1)!, honestTrainer(belief), honestAccuser, belief);
    const found = { step: game.step!.index, operator: game.operator!.index };
    assert.deepEqual({ end, found, moves: game.moves }, { end: 'trainer', found: wrong, moves: 8 });
  }
  assert.ok(movesOfSearch(STEPS) + movesOfSearch(OPERATORS) <= Math.floor(Math.log2(STEPS) + Math.log2(OPERATORS)));
});

/** Ways to defend a false end, given a false belief. */
const LYING_TRAINERS: Record<string, (belief: Belief, random: SeededRandom) => [Player, Belief]> = {
  'claims the truth, and its own end': (belief) => {
    const patched = patch(TRUTH.states, STEPS - 1, belief.states.at(-1)!);
    const claimed = { states: patched, results: (step: number) => endingIn(TRUTH.results(step), patched[step]!) };
    return [honestTrainer(claimed), claimed];
  },
  'claims the truth up to a step, then noise': (belief, random) => {
    const from = below(random, STEPS - 1);
    const noise = TRUTH.states.map((leaf, i) => (i < from ? leaf : leafOf(random.uint32())));
    const states = patch(noise, STEPS - 1, belief.states.at(-1)!);
    const claimed = { states, results: (step: number) => endingIn(TRUTH.results(step), states[step]!) };
    return [honestTrainer(claimed), claimed];
  },
  'claims operators that are another step’s': (belief) => {
    const results = (step: number) => endingIn(TRUTH.results((step + 1) % STEPS), belief.states[step]!);
    return [honestTrainer({ ...belief, results }), { ...belief, results }];
  },
  'claims fewer operators': (belief) => {
    const results = (step: number) => belief.results(step).slice(1);
    return [honestTrainer({ ...belief, results }), { ...belief, results }];
  },
  'claims more operators': (belief) => {
    const results = (step: number) => [...belief.results(step).slice(0, 1), ...belief.results(step)];
    return [honestTrainer({ ...belief, results }), { ...belief, results }];
  },
  'shows other children than it has claimed': (belief) => {
    const other = beliefOf({ step: 0, operator: 0 });
    return [(game) => honestTrainer(game.search ? other : belief)(game), belief];
  },
  'claims only part of the steps': (belief) => [honestTrainer({ ...belief, states: belief.states.slice(500) }), belief],
  'stops answering': (belief, random) => {
    const patience = below(random, 4);
    return [(game) => (game.moves >= 2 * patience ? 'silent' : honestTrainer(belief)(game)), belief];
  },
};

for (const [name, conduct] of Object.entries(LYING_TRAINERS))
  test(`an honest accuser never loses to a trainer that ${name}`, () => {
    const random = new SeededRandom(name);
    for (let round = 0; round < 12; round++) {
      const belief = beliefOf({ step: below(random, STEPS), operator: below(random, OPERATORS) });
      const [trainer, claimed] = conduct(belief, random);
      const { end, game } = play(belief.states.at(-1)!, trainer, honestAccuser, claimed);
      assert.ok(end === 'trainer' || end === 'silent trainer', `${name}: ${end}`);
      assert.ok(game.moves <= 8);
    }
  });

/** Ways to accuse honest work. */
const LYING_ACCUSERS: Record<string, (random: SeededRandom) => Player> = {
  'points anywhere': (random) => (game) => ({ is: 'point', child: below(random, game.search!.children!.length) }),
  'points at the end': () => (game) => ({ is: 'point', child: game.search!.children!.length - 1 }),
  'points at the first': () => () => ({ is: 'point', child: 0 }),
  'points at one place': (random) => {
    const [step, at] = [below(random, STEPS), below(random, OPERATORS)];
    return (game) => pointAt(game, game.stage === 'steps' ? step : at);
  },
  'points beyond': () => (game) => ({ is: 'point', child: game.search!.children!.length }),
  'takes it back': () => () => ({ is: 'concede' }),
  'answers in the trainer’s place': () => (game) => answerFrom(game, TRUTH.states, LIST),
  'stops pointing': (random) => {
    const patience = below(random, 4);
    return (game) => (game.moves > 2 * patience ? 'silent' : { is: 'point', child: 0 });
  },
};

for (const [name, conduct] of Object.entries(LYING_ACCUSERS))
  test(`an honest trainer never loses to an accuser that ${name}`, () => {
    const random = new SeededRandom(name);
    for (let round = 0; round < 40; round++) {
      const { end, game } = play(TRUTH.states.at(-1)!, honestTrainer(TRUTH), conduct(random), TRUTH);
      assert.ok(end === 'accuser' || end === 'withdrawn', `${name}: ${end}`);
      assert.ok(game.moves <= 8);
    }
  });

function patch(leaves: readonly Hash[], index: number, leaf: Hash): Hash[] {
  return leaves.map((own, i) => (i === index ? leaf : own));
}

function endingIn(leaves: readonly Hash[], last: Hash): Hash[] {
  return patch(leaves, leaves.length - 1, last);
}
