/** A bug that is planted to see whether anybody notices: one text in one file, and what stands there instead. */
export interface PlantedBug {
  /** Kebab-case, unique. */
  readonly name: string;
  readonly area:
    | 'protocol'
    | 'terms'
    | 'complaints'
    | 'verification'
    | 'disputes'
    | 'ledger'
    | 'doors'
    | 'store'
    | 'network';
  /** What goes wrong, in a few words. */
  readonly about: string;
  /** Path from the project's root. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly put: string;
  /**
   * `worlds`: the seeds of every commit. Else a test file: of the contract that every adapter keeps, or of what no member of
   * the worlds does, since it takes a liar that is not among them.
   */
  readonly by?: 'worlds' | `${string}.test.ts`;
}
