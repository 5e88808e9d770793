import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { checkOpening, encodeLink, openLink, rowsId, segmentLink, startLink, traceRoot } from '@folkmoot/records';
import { TraceBuilder } from './trace.ts';

const id = (name: string) => hashOf('test', name);
const start = {
  run: id('run'),
  round: 3,
  base: id('base'),
  seed: id('seed'),
  seat: 1,
  skip: 0,
  moments: id('moments'),
};
const states = [1, 2, 3].map((segment) => ({ params: id(`params ${segment}`), moments: id(`moments ${segment}`) }));

function build(secret = 'secret', skip = 0) {
  const builder = new TraceBuilder({ ...start, skip }, secret);
  for (const state of states) builder.endSegment(state);
  return builder.encoded(id('update'), id('error in'), id('error out'));
}

test('every link opens against the root, recomputed from what it stands for', () => {
  const trace = build();
  const links = [startLink(start.base, start.seed, start.seat, start.moments)];
  for (const [i, state] of states.entries())
    links.push(segmentLink(links[i], state, rowsId(start.seed, start.seat, i + 1)));
  links.push(encodeLink(links[3], id('update'), id('error in'), id('error out')));
  assert.deepEqual(trace.links, links);
  const root = traceRoot(trace);
  for (const [index, link] of links.entries()) {
    assert.ok(checkOpening(root, 5, openLink(trace, index), link));
    assert.ok(!checkOpening(root, 5, openLink(trace, index), id('another')));
  }
});

test('who works what is left of a seat chains the rows of the segments that come after', () => {
  const trace = build('secret', 4);
  const first = segmentLink(trace.links[0]!, states[0]!, rowsId(start.seed, start.seat, 5));
  assert.deepEqual([trace.links[0], trace.links[1]], [build().links[0], first]);
  assert.equal(trace.links.length, 5);
});

test('salts are the secret’s and never repeat', () => {
  const trace = build();
  assert.equal(new Set(trace.salts).size, 5);
  assert.deepEqual(build().salts, trace.salts);
  assert.ok(build('another').salts.every((salt) => !trace.salts.includes(salt)));
});
