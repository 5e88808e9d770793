/**
 * The search for one wrong operator: a game of two in which every move is a small record.
 *
 * The trainer claims the states after each step of the segment, the accuser points at the first that does not follow; the
 * trainer claims the results of that step's operators, the accuser points at one. Claims are trees whose root is shown first
 * and whose last leaf must be what the trainer had committed to, so an answer can only agree with all answers before it.
 * Pointing at a leaf says that it does not follow from those before it: that is what judges then compute.
 *
 * (Refereed delegation: Canetti, Riva and Rothblum 2011; Truebit 2017; Verde 2025.) Pure: who may move when, and what the
 * move does.
 */
import type { Hash } from '@folkmoot/core';
import { childrenCount, depthOf, isSpine, type Move, nodeHash, TREE_WIDTH } from '@folkmoot/records';

/** A claimed list of leaves. */
export interface Claimed {
  /** The artifact with all of them. */
  list: Hash;
  leaves: number;
  /** Hash of the tree's first node. */
  root: Hash;
}

/** Where a search in a claim has come to: the node at hand and, once they are shown, its children. */
export interface Search extends Claimed {
  level: number;
  node: number;
  /** Hash of the node at hand. */
  hash: Hash;
  children: Hash[] | null;
}

export interface Leaf {
  index: number;
  hash: Hash;
}

export interface Game {
  stage: 'steps' | 'operators' | 'judging';
  turn: 'trainer' | 'accuser' | 'judges';
  /** Moves made. */
  moves: number;
  /** Null until the trainer has made the claim of this stage. */
  search: Search | null;
  steps: Claimed | null;
  step: Leaf | null;
  operators: Claimed | null;
  operator: Leaf | null;
}

/** What is agreed before the game begins. */
export interface Frame {
  /** Steps of a segment. */
  readonly steps: number;
  /** `stateLeaf` of the segment's end as the trainer closed it. */
  readonly end: Hash;
}

export function newGame(): Game {
  const nothing = { search: null, steps: null, step: null, operators: null, operator: null };
  return { stage: 'steps', turn: 'trainer', moves: 0, ...nothing };
}

/** Why `move` by the side whose turn it is does not fit, or null. `raise` and `rule` are no moves of the search. */
export function refusal(game: Game, frame: Frame, move: Move): string | null {
  const { search, turn } = game;
  switch (move.is) {
    case 'claim': {
      if (turn !== 'trainer' || search) return 'no claim is due';
      const [count, last] = game.stage === 'steps' ? [frame.steps, frame.end] : [move.leaves, game.step!.hash];
      if (move.leaves !== count) return `a segment has ${count} steps`;
      return isSpine(move.spine, move.leaves, last) ? null : 'the claim does not end in what was committed';
    }
    case 'show': {
      if (turn !== 'trainer' || !search || search.children) return 'nothing is to be shown';
      const count = childrenCount(search.leaves, search.level, search.node);
      const fits = move.children.length === count && nodeHash(move.children) === search.hash;
      return fits ? null : 'these are not the children of that node';
    }
    case 'point':
      if (turn !== 'accuser' || !search?.children) return 'nothing is to be pointed at';
      return move.child < search.children.length ? null : 'there is no such child';
    case 'concede':
      return turn === 'accuser' ? null : 'it is not the accuser’s turn';
    default:
      return 'not a move of the search';
  }
}

/** Makes a move that `refusal` lets pass. */
export function makeMove(game: Game, move: Move): void {
  game.moves++;
  if (move.is === 'claim') {
    const { list, leaves, spine } = move;
    const root = nodeHash(spine[0]!);
    game.search = { list, leaves, root, level: 0, node: 0, hash: root, children: spine[0]! };
    game.turn = 'accuser';
  } else if (move.is === 'show') {
    game.search!.children = move.children;
    game.turn = 'accuser';
  } else if (move.is === 'point') point(game, move.child);
}

function point(game: Game, child: number): void {
  const search = game.search!;
  const place = search.node * TREE_WIDTH + child;
  const hash = search.children![child]!;
  game.turn = 'trainer';
  if (search.level + 1 < depthOf(search.leaves)) {
    Object.assign(search, { level: search.level + 1, node: place, hash, children: null });
    return;
  }
  const { list, leaves, root } = search;
  game.search = null;
  if (game.stage === 'steps') {
    Object.assign(game, { stage: 'operators', steps: { list, leaves, root }, step: { index: place, hash } });
  } else {
    const found = { operators: { list, leaves, root }, operator: { index: place, hash } };
    Object.assign(game, { stage: 'judging', turn: 'judges', ...found });
  }
}
