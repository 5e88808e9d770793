import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateProgram, Tokenizer } from '@folkmoot/model';
import { createEngine } from '@folkmoot/tensor/node';
import fc from 'fast-check';
import { Evaluator } from './evaluate.ts';
import { batches, initial, LAYOUT, MODEL } from './model.test-support.ts';
import { compareScores, readScore, SCORE_TOLERANCE_PPM, type Score, scoreOf, textBytes } from './score.ts';

const id = (digit: string) => digit.repeat(64);

function score(changes: Partial<Score> = {}, nll = [10, 20.5, 30]): Score {
  const subject = {
    ...{ run: id('a'), base: id('b'), program: id('c'), holdoutRoot: id('d'), tokenizer: id('e') },
    engine: { kind: 'native', name: 'native one' },
    rows: [0, 7, 9],
  };
  return { ...scoreOf(subject, nll, 48, 100), ...changes };
}

test('perplexity and bits per byte from the losses of rows', () => {
  const { nats, perplexity, bitsPerByte } = score();
  assert.equal(nats, 60.5);
  assert.ok(Math.abs(perplexity - Math.E ** (60.5 / 48)) < 1e-12);
  // A model that knows nothing of bytes needs 8 bits for each: ln 256 nats.
  const ignorant = score({}, [Math.log(256) * 50, Math.log(256) * 25, Math.log(256) * 25]);
  assert.ok(Math.abs(ignorant.bitsPerByte - 8) < 1e-12);
  assert.ok(Math.abs(bitsPerByte * 100 * Math.LN2 - 60.5) < 1e-9);
});

test('bytes of text are those that the tokens decode to; the end of a text is none', () => {
  const tokenizer = Tokenizer.train(['low lower lowest näive ❤ '.repeat(20)], 270);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('low ', 'lowest', 'ä', '❤', 'x\n'), { maxLength: 20 }), (words) => {
      const text = words.join('');
      assert.equal(textBytes(tokenizer, [...tokenizer.encode(text), 0, 0]), Buffer.byteLength(text));
    }),
  );
});

test('equal bits match; other bits are within tolerance or not; on exact nothing but equal bits will do', () => {
  const claimed = score();
  assert.deepEqual(compareScores(claimed, score()), { outcome: 'match' });
  const near = score({}, [10, 20.5 * (1 + SCORE_TOLERANCE_PPM / 2e6), 30]);
  assert.equal(compareScores(claimed, near).outcome, 'within');
  const far = compareScores(claimed, score({}, [10, 20.5 * (1 + SCORE_TOLERANCE_PPM / 0.5e6), 30]));
  assert.ok(far.outcome === 'mismatch' && /^row 7 is 4\d\d ppm off/.test(far.reason), JSON.stringify(far));
  const engine = { kind: 'exact', name: 'exact' };
  assert.equal(compareScores({ ...claimed, engine }, { ...near, engine }).outcome, 'mismatch');
  assert.equal(compareScores({ ...claimed, engine }, near).outcome, 'within');
});

test('a score of something else, or with figures that its rows do not give, does not hold', () => {
  const mine = score();
  for (const [changes, why] of [
    [{ base: id('f') }, /^base is f/],
    [{ tokenizer: id('f') }, /^tokenizer/],
    [{ bytes: 101 }, /^bytes is 101, not 100/],
    [{ rows: [0, 7, 8] }, /^the rows are others/],
    [{ nats: 60 }, /do not follow/],
    [{ perplexity: 2 }, /do not follow/],
    [{ bitsPerByte: 0.5 }, /do not follow/],
  ] as const) {
    const finding = compareScores({ ...mine, ...changes } as Score, mine);
    assert.ok(finding.outcome === 'mismatch' && why.test(finding.reason), JSON.stringify(finding));
  }
});

test('a score survives JSON, bit for bit, and what is none is refused with a reason', () => {
  const losses = [Math.fround(1 / 3), Math.fround(123.456), 7];
  const written = JSON.parse(JSON.stringify(score({}, losses)));
  const read = readScore(written);
  assert.ok(read.ok);
  assert.deepEqual(compareScores(read.value, score({}, losses)), { outcome: 'match' });
  for (const [changes, why] of [
    [{ format: 'x' }, /folkmoot-score-1/],
    [{ base: 'b' }, /no hash/],
    [{ engine: 'native' }, /engine/],
    [{ engine: { kind: 'native', name: 'x'.repeat(65) } }, /engine/],
    [{ rows: [0, 1.5, 2] }, /row numbers/],
    [{ rows: [] }, /row numbers/],
    [{ nll: [1, 2] }, /positive loss/],
    [{ nll: [1, 2, -3] }, /positive loss/],
    [{ nll: [1, 2, null] }, /positive loss/],
    [{ perplexity: 'low' }, /figure/],
    [{ bytes: -1 }, /figure/],
  ] as const) {
    const refused = readScore({ ...written, ...changes });
    assert.ok(!refused.ok && why.test(refused.reason), JSON.stringify(changes));
  }
  for (const nothing of [null, [], 'score', 3]) assert.ok(!readScore(nothing).ok);
});

test('losses of rows are those of each row alone, and exact differs from native by far less than is allowed', async () => {
  const [{ tokens, targets }] = batches('rows', 1) as [ReturnType<typeof batches>[0]];
  const T = MODEL.context;
  const losses: Float32Array[] = [];
  for (const kind of ['native', 'exact'] as const) {
    const engine = await createEngine(kind, { threads: 1 });
    const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, 3), LAYOUT);
    await evaluator.load(initial());
    const all = await evaluator.rowLosses({ tokens, targets });
    for (const [row, loss] of all.entries()) {
      const [from, to] = [row * T, row * T + T];
      const alone = await evaluator.rowLosses({
        tokens: tokens.subarray(from, to),
        targets: targets.subarray(from, to),
      });
      assert.ok(Math.abs(alone[0]! - loss) <= 1e-5 * loss);
    }
    losses.push(all);
    await engine.close();
  }
  const [native, exact] = losses as [Float32Array, Float32Array];
  const ppm = native.map((loss, i) => (Math.abs(loss - exact[i]!) / loss) * 1e6);
  assert.ok(Math.max(...ppm) < SCORE_TOLERANCE_PPM / 10, ppm.join(' '));
});
