/**
 * Which training texts would give the hold-out away: those that share long stretches of words with it.
 *
 * Stretches of thirteen words, as GPT-3 took (Brown et al. 2020); like there, a stretch that many texts contain, such as
 * a licence's, is language and no leak.
 */
import { scramble, wordHashes } from './words.ts';

const WIDTH = 13;
/** A stretch in more training texts than this is common and gives nothing away. */
const COMMON = 10;
/** Shared stretches from which a text is left out: 22 words in a row, or several shorter quotations. */
const MIN_SHARED = 10;

/** The indices of `train` that share at least ten uncommon stretches of thirteen words with any text of `holdout`. */
export function holdoutOverlap(train: readonly string[], holdout: readonly string[]): Set<number> {
  /** Training texts that contain a stretch of the hold-out. */
  const texts = new Map<number, number>();
  for (const text of holdout) for (const stretch of stretches(text)) texts.set(stretch, 0);
  const sharing = new Map<number, readonly number[]>();
  for (const [i, text] of train.entries()) {
    const shared = new Set(stretches(text).filter((stretch) => texts.has(stretch)));
    for (const stretch of shared) texts.set(stretch, texts.get(stretch)! + 1);
    if (shared.size >= MIN_SHARED) sharing.set(i, [...shared]);
  }
  const overlapping = [...sharing].filter(
    ([, shared]) => shared.filter((stretch) => texts.get(stretch)! <= COMMON).length >= MIN_SHARED,
  );
  return new Set(overlapping.map(([i]) => i));
}

/** A hash of each thirteen consecutive words, in 53 bits: among billions of stretches none is met by chance. */
function stretches(text: string): number[] {
  const words = wordHashes(text);
  const result: number[] = [];
  for (let i = 0; i + WIDTH <= words.length; i++) {
    let [low, high] = [0, 0];
    for (let j = 0; j < WIDTH; j++) {
      low = Math.imul(low, 0x9e3779b1) + words[i + j]!;
      high = Math.imul(high, 0x85ebca6b) + words[i + j]!;
    }
    result.push((scramble(high) >>> 11) * 2 ** 32 + scramble(low));
  }
  return result;
}
