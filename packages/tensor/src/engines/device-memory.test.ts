import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PiecedBuffer, wholeTensor } from './device-memory.ts';

/** A tensor that can be looked into, and knows how often it was given back. */
class FakeTensor {
  released = 0;
  readonly data: readonly number[];
  constructor(data: readonly number[]) {
    this.data = data;
  }
  get elements(): number {
    return this.data.length;
  }
  release(): void {
    this.released++;
  }
}

test('a pieced buffer shows what a plain array holds, and gives back exactly what nobody can see', () => {
  const size = 20;
  const writes = fc.array(
    fc.integer({ min: 0, max: size - 1 }).chain((offset) =>
      fc.record({
        offset: fc.constant(offset),
        data: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: size - offset }),
      }),
    ),
  );
  fc.assert(
    fc.property(writes, fc.nat(size - 1), fc.nat(size), (list, from, most) => {
      const buffer = new PiecedBuffer<FakeTensor>(size);
      const twin = new Array(size).fill(0);
      const owners = new Array<FakeTensor | undefined>(size).fill(undefined);
      const tensors: FakeTensor[] = [];
      for (const { offset, data } of list) {
        const tensor = new FakeTensor(data);
        tensors.push(tensor);
        buffer.put(offset, tensor);
        twin.splice(offset, data.length, ...data);
        owners.fill(tensor, offset, offset + data.length);
      }
      const length = Math.min(most, size - from);
      assert.deepEqual(contents(buffer, from, length), twin.slice(from, from + length));
      for (const tensor of tensors) assert.equal(tensor.released, owners.includes(tensor) ? 0 : 1);
      buffer.clear();
      for (const tensor of tensors) assert.equal(tensor.released, 1);
      assert.deepEqual(contents(buffer, 0, size), new Array(size).fill(0));
    }),
  );
});

test('only a view that is one whole tensor is read where it lies', () => {
  const buffer = new PiecedBuffer<FakeTensor>(8);
  const tensor = new FakeTensor([1, 2, 3, 4]);
  buffer.put(2, tensor);
  assert.equal(wholeTensor(buffer.stretches(2, 4)), tensor);
  for (const [offset, length] of [
    [2, 3],
    [3, 3],
    [1, 5],
    [2, 5],
    [0, 2],
  ] as const)
    assert.equal(wholeTensor(buffer.stretches(offset, length)), undefined);
  buffer.put(3, new FakeTensor([9]));
  assert.equal(wholeTensor(buffer.stretches(2, 1)), undefined, 'a shorter part of a tensor is not the tensor');
});

function contents(buffer: PiecedBuffer<FakeTensor>, offset: number, length: number): number[] {
  return buffer
    .stretches(offset, length)
    .flatMap(({ tensor, skip, length }) => tensor?.data.slice(skip, skip + length) ?? new Array(length).fill(0));
}
