/** A bug that is planted to see whether anybody notices: one text in one file, and what stands there instead. */
export interface PlantedBug {
  /** Kebab-case, unique. */
  readonly name: string;
  readonly area: 'protocol' | 'verification' | 'ledger' | 'store' | 'network';
  /** What goes wrong, in a few words. */
  readonly about: string;
  /** Path from the project's root. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly put: string;
  /** `worlds`: the seeds of every commit. Else the contract that every adapter keeps, by its test file. */
  readonly by?: 'worlds' | 'packages/store/src/store.test.ts' | 'packages/network/src/libp2p-network.test.ts';
}
