/** The part of the protocol buffers wire format that ONNX needs. */
import { concat, utf8 } from '@folkmoot/core';

/** A message under construction. Fields are written in the order of the calls, so equal calls give equal bytes. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];

  integer(field: number, value: number | bigint): this {
    this.#parts.push(varint(BigInt(field << 3)), varint(BigInt(value)));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#parts.push(varint(BigInt((field << 3) | 5)), bytes);
    return this;
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.#parts.push(varint(BigInt((field << 3) | 2)), varint(BigInt(bytes.length)), bytes);
    return this;
  }

  text(field: number, text: string): this {
    return this.bytes(field, utf8(text));
  }

  message(field: number, message: MessageWriter): this {
    return this.bytes(field, message.done());
  }

  done(): Uint8Array {
    return concat(this.#parts);
  }
}

/** One field of a message: `bytes` for texts, bytes and inner messages, `integer` for the rest. */
export interface Field {
  readonly number: number;
  readonly integer: bigint;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The fields of a message of a stranger. Throws `RangeError` where the bytes are not one; allocates nothing of their size. */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  const reader = new Reader(bytes);
  while (!reader.atEnd()) {
    const tag = Number(reader.varint());
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (number < 1 || number > 2 ** 29) throw new RangeError(`field number ${number}`);
    if (wireType === 0) yield { number, integer: reader.varint(), bytes: NOTHING };
    else if (wireType === 1) yield { number, integer: 0n, bytes: reader.take(8) };
    else if (wireType === 2) yield { number, integer: 0n, bytes: reader.take(Number(reader.varint())) };
    else if (wireType === 5) yield { number, integer: 0n, bytes: reader.take(4) };
    else throw new RangeError(`wire type ${wireType}`);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) throw new RangeError(`${size} bytes announced, fewer present`);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte] = this.take(1) as unknown as [number];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError('an integer of more than 10 bytes');
  }
}

/** Seven bits per byte, least significant first; negative numbers as 64-bit two's complement. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
