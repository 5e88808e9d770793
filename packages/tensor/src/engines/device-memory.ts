/**
 * Buffers on a device whose tensors have no offsets: a buffer is a row of pieces, each a stretch of some tensor.
 *
 * A program's output becomes the piece at its place; nothing is copied when it is written. A view that is exactly one
 * whole tensor is read where it lies; any other view has to be put together first (`device-copies.ts`).
 */

/** A tensor on the device, shared by the pieces that show parts of it. */
export interface DeviceTensor {
  readonly elements: number;
  /** Gives the memory back. Called once, when no piece shows it any more. */
  release(): void;
}

/** Part of what lies in a range: `length` elements of `tensor` from `skip` on, or as many zeros. */
export interface Stretch<T extends DeviceTensor> {
  readonly tensor: T | undefined;
  readonly skip: number;
  readonly length: number;
}

interface Piece<T extends DeviceTensor> extends Stretch<T> {
  readonly start: number;
}

/** One buffer of `elements` elements, zero at first. Ranges are inside it: the other end of the wire has checked them. */
export class PiecedBuffer<T extends DeviceTensor> {
  readonly elements: number;
  /** In order, without gaps. */
  #pieces: Piece<T>[];

  constructor(elements: number) {
    this.elements = elements;
    this.#pieces = [{ tensor: undefined, skip: 0, start: 0, length: elements }];
  }

  /** Puts the whole of `tensor` at `offset`. Tensors that are covered now are released. */
  put(offset: number, tensor: T): void {
    const end = offset + tensor.elements;
    const before = this.#pieces.flatMap((piece) => part(piece, 0, offset));
    const after = this.#pieces.flatMap((piece) => part(piece, end, this.elements));
    this.#show([...before, { tensor, skip: 0, start: offset, length: tensor.elements }, ...after]);
  }

  /** What lies in a range, in order. */
  stretches(offset: number, length: number): Stretch<T>[] {
    return this.#pieces
      .flatMap((piece) => part(piece, offset, offset + length))
      .map(({ tensor, skip, length }) => ({ tensor, skip, length }));
  }

  /** Releases everything; the buffer is zero again. */
  clear(): void {
    this.#show([{ tensor: undefined, skip: 0, start: 0, length: this.elements }]);
  }

  #show(pieces: Piece<T>[]): void {
    const shown = new Set(pieces.map(({ tensor }) => tensor));
    const before = new Set(this.#pieces.map(({ tensor }) => tensor));
    this.#pieces = pieces;
    for (const tensor of before) if (!shown.has(tensor)) tensor?.release();
  }
}

/** The tensor that is exactly what `stretches` show. */
export function wholeTensor<T extends DeviceTensor>(stretches: readonly Stretch<T>[]): T | undefined {
  const [only, ...others] = stretches;
  const whole = others.length === 0 && only?.skip === 0 && only.length === only.tensor?.elements;
  return whole ? only.tensor : undefined;
}

/** The part of `piece` between `from` and `to`, or nothing. */
function part<T extends DeviceTensor>(piece: Piece<T>, from: number, to: number): Piece<T>[] {
  const start = Math.max(piece.start, from);
  const end = Math.min(piece.start + piece.length, to);
  if (start >= end) return [];
  return [{ tensor: piece.tensor, skip: piece.skip + start - piece.start, start, length: end - start }];
}
