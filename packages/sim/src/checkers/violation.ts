/** An invariant that does not hold: which, where, and why. */
export class Violation extends Error {
  readonly invariant: string;
  readonly checker: string;
  /** The log entry at which it shows; −1 where it is not about one. */
  readonly index: number;

  constructor(invariant: string, checker: string, index: number, sentence: string) {
    super(`${invariant} (${checker})${index < 0 ? '' : ` at entry ${index}`}: ${sentence}`);
    this.name = 'Violation';
    this.invariant = invariant;
    this.checker = checker;
    this.index = index;
  }
}
