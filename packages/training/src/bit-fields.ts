/** Integers of any number of bits, one after another; the lowest bits come first. */
import { assert } from '@folkmoot/core';

// Fields are moved in pieces, so that a shifted piece still fits 32 bits.
const PIECE = 24;

/** Writes into bytes that are zero. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Appends the lowest `bits` of `value`, which has no others. */
  write(value: bigint, bits: number): void {
    assert(this.#at + bits <= 8 * this.#bytes.length, 'the field is inside');
    let left = value;
    for (let done = 0; done < bits; done += PIECE) {
      this.writeSmall(Number(BigInt.asUintN(PIECE, left)), Math.min(PIECE, bits - done));
      left >>= BigInt(PIECE);
    }
  }

  /** The same for at most 24 bits. */
  writeSmall(piece: number, bits: number): void {
    const shift = this.#at & 7;
    let word = piece * 2 ** shift;
    for (let byte = this.#at >>> 3; word > 0; byte++) {
      this.#bytes[byte] |= word & 0xff;
      word = Math.floor(word / 256);
    }
    this.#at += bits;
  }
}

export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(bits: number): bigint {
    assert(this.#at + bits <= 8 * this.#bytes.length, 'the field is inside');
    let value = 0n;
    for (let done = 0; done < bits; done += PIECE)
      value |= BigInt(this.readSmall(Math.min(PIECE, bits - done))) << BigInt(done);
    return value;
  }

  /** Whether every bit behind what was read is zero. */
  restIsZero(): boolean {
    for (let bit = this.#at; bit < 8 * this.#bytes.length; bit++)
      if (((this.#bytes[bit >>> 3] >>> (bit & 7)) & 1) !== 0) return false;
    return true;
  }

  /** The same for at most 24 bits. */
  readSmall(bits: number): number {
    const shift = this.#at & 7;
    let word = 0;
    for (let byte = 0; 8 * byte < shift + bits; byte++) word += this.#bytes[(this.#at >>> 3) + byte] * 2 ** (8 * byte);
    this.#at += bits;
    return Math.floor(word / 2 ** shift) % 2 ** bits;
  }
}
