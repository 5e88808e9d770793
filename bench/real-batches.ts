/** Real text to train on: documentation and source of the installed dependencies, as a run would have it. */
import { fileURLToPath } from 'node:url';
import { hashOf } from '@folkmoot/core';
import { assignedRows, buildDataset, Rows } from '@folkmoot/data';
import { defaultDocuments } from '@folkmoot/data/node';
import { type ModelConfig, Tokenizer } from '@folkmoot/model';
import type { Segment } from '@folkmoot/training';

const DATA_BYTES = 4 * 2 ** 20;

/** The same batches for the same installed packages. */
export class RealBatches {
  readonly #rows: Rows;
  readonly #batchRows: number;

  static async open({ vocab, context }: ModelConfig, batchRows: number): Promise<RealBatches> {
    const { documents } = await defaultDocuments(fileURLToPath(new URL('..', import.meta.url)), DATA_BYTES);
    const tokenizer = Tokenizer.train(
      documents.map(({ text }) => text),
      vocab,
    );
    const { manifest, shards } = buildDataset(documents, tokenizer, { context });
    const byId = new Map(shards.map(({ id, bytes }) => [id, bytes]));
    return new RealBatches(new Rows(manifest, 'train', async (id) => byId.get(id)!), batchRows);
  }

  private constructor(rows: Rows, batchRows: number) {
    this.#rows = rows;
    this.#batchRows = batchRows;
  }

  /** Segment `number` (from 0) of `steps` steps, in a run of one device. */
  async segment(number: number, steps: number): Promise<Segment> {
    // A round that never ends: rows are dealt without repetition until all were used.
    const rules = { batchRows: this.#batchRows, stepsPerRound: 1000 };
    const first = number * steps;
    const batches = Array.from({ length: steps }, (_, i) =>
      this.#rows.read(assignedRows(hashOf('calibrate'), this.#rows.count, 0, first + i, rules)),
    );
    return { batches: await Promise.all(batches), globalStep: first, deviceStep: first };
  }
}
