/**
 * How honest sides play the search for one wrong operator (`dispute-game.ts`), from the leaves that they computed
 * themselves.
 */
import type { Hash } from '@folkmoot/core';
import { childrenOf, claimTree, depthOf, type Move, spineOf, TREE_WIDTH } from '@folkmoot/records';
import type { Game } from './dispute-game.ts';

/** The trainer's next move: its claim, or the children of the node that the accuser has pointed at. */
export function answerFrom(game: Game, leaves: readonly Hash[], list: Hash): Move {
  const tree = claimTree(leaves);
  if (!game.search) return { is: 'claim', list, leaves: leaves.length, spine: spineOf(tree) };
  return { is: 'show', children: childrenOf(tree, game.search.level, game.search.node) };
}

/**
 * The accuser's next move where bits must be equal: towards the first leaf that differs from its own.
 *
 * Everything before what it points at is equal, so the operator that it ends at had the right inputs. Where the trainer
 * claims another number of leaves, the first place that one of the lists lacks counts as different.
 */
export function pointAtFirst(game: Game, mine: readonly Hash[]): Move {
  const { level, node, children, leaves } = game.search!;
  // The accuser's tree, cut or filled to the claimed size: the shapes must be the same to be compared.
  const own = childrenOf(claimTree(Array.from({ length: leaves }, (_, i) => mine[i] ?? MISSING)), level, node);
  const child = children!.findIndex((hash, i) => hash !== own[i]);
  return child < 0 ? { is: 'concede' } : { is: 'point', child };
}

/** The accuser's next move towards leaf `index`, whatever is claimed. */
export function pointAt(game: Game, index: number): Move {
  const { level, leaves } = game.search!;
  const under = TREE_WIDTH ** (depthOf(leaves) - 1 - level);
  return { is: 'point', child: Math.floor(index / under) % TREE_WIDTH };
}

/** Equal to no hash. */
const MISSING = '';
