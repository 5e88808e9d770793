import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, utf8 } from '@folkmoot/core';
import fc from 'fast-check';
import { compile } from './compile.ts';
import { Graph } from './graph.ts';
import { add, rows } from './operators.ts';
import { MessageWriter } from './protobuf.ts';
import { readProgram, summarizeProgram } from './read.ts';

const program = (() => {
  const graph = new Graph();
  const table = graph.input('table', 'float32', [5, 3]);
  const tokens = graph.input('tokens', 'int32', [2]);
  graph.output('y', add(rows(table, tokens), graph.scalar(1)));
  return compile(graph, 'pick');
})();

const refuses = (bytes: Uint8Array, reason: RegExp) =>
  assert.throws(
    () => readProgram(bytes),
    (error) => isWorldError(error, 'program-invalid') && reason.test(error.message),
  );

test('what is written is read', () => {
  const { program: read, ...summary } = summarizeProgram(program.bytes);
  assert.deepEqual(read, program);
  assert.equal(summary.name, 'pick');
  assert.equal(summary.producer, 'folkmoot');
  assert.deepEqual(
    [...summary.operators],
    [
      ['Add', 1],
      ['Gather', 1],
    ],
  );
  assert.equal(summary.nodes, 2);
});

test('cut or changed bytes are refused with program-invalid or read as some program, never anything else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(program.bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(program.bytes.length),
      (changes, length) => {
        const bytes = program.bytes.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          readProgram(bytes);
        } catch (error) {
          assert.ok(isWorldError(error, 'program-invalid'), String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('what could read files, loop, or grow without bound is refused', () => {
  const tensor = (...sizes: number[]) => {
    const shape = new MessageWriter();
    for (const size of sizes) shape.message(1, new MessageWriter().integer(1, size));
    return new MessageWriter()
      .text(1, 'y')
      .message(2, new MessageWriter().message(1, new MessageWriter().integer(1, 1).message(2, shape)));
  };
  const model = (graph: MessageWriter) => new MessageWriter().integer(1, 8).message(7, graph).done();
  const node = (type: string) => new MessageWriter().text(2, 'y').text(4, type);
  const output = (graph: MessageWriter) => model(graph.message(12, tensor(2)));

  assert.equal(readProgram(output(new MessageWriter().message(1, node('Add')))).outputs[0]!.shape[0], 2);
  refuses(output(new MessageWriter().message(1, node('Add').text(7, 'com.example'))), /not a standard one/);
  refuses(
    output(
      new MessageWriter().message(
        1,
        node('Loop').message(5, new MessageWriter().text(1, 'body').message(6, new MessageWriter())),
      ),
    ),
    /inner graph/,
  );
  refuses(output(new MessageWriter().message(5, new MessageWriter().integer(14, 1))), /another file/);
  refuses(model(new MessageWriter().message(12, tensor(2 ** 20, 2 ** 20))), /too large/);
  refuses(model(new MessageWriter().message(12, tensor(-1))), /not static/);
  refuses(model(new MessageWriter().message(12, tensor(...new Array(9).fill(1)))), /too many axes/);
  const twice = new MessageWriter().message(1, new MessageWriter().integer(1, 2).integer(1, 2));
  const inParts = (count: number) =>
    Array.from({ length: count }).reduce<MessageWriter>(
      (type) => type.message(2, new MessageWriter().message(1, new MessageWriter().integer(1, 1))),
      new MessageWriter().integer(1, 1),
    );
  const named = (type: MessageWriter) =>
    new MessageWriter().text(1, 'y').message(2, new MessageWriter().message(1, type));
  refuses(model(new MessageWriter().message(12, named(new MessageWriter().message(2, twice)))), /said twice/);
  refuses(model(new MessageWriter().message(12, named(inParts(9)))), /too many axes/);
  refuses(model(new MessageWriter().message(12, tensor(2)).message(12, tensor(2))), /used twice/);
  refuses(model(new MessageWriter()), /no output/);
  refuses(new MessageWriter().message(25, new MessageWriter()).done(), /functions/);
  refuses(utf8('<html>'), /not a program/);
  refuses(new Uint8Array(0), /no graph/);
});
