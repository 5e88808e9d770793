/** Tables of rotary angles, the same bytes on every machine: no `Math.cos`, no `Math.pow`, only + − × ÷ and sqrt. */
import type { ModelConfig } from './config.ts';

export interface RotaryTables {
  /** D/2: angles per position. */
  readonly half: number;
  /** `[T, D/2]`. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Cosine and sine of `position · theta^(−2i/D)` for all positions in the context (Su et al. 2021). */
export function rotaryTables({ hidden, heads, context, ropeTheta }: ModelConfig): RotaryTables {
  const half = hidden / heads / 2;
  const [cos, sin] = [new Float32Array(context * half), new Float32Array(context * half)];
  const logTheta = naturalLog(ropeTheta);
  for (let i = 0; i < half; i++) {
    const frequency = exponential((-i / half) * logTheta);
    const [stepCos, stepSin] = cosSin(frequency);
    let [c, s] = [1, 0];
    for (let position = 0; position < context; position++) {
      cos[position * half + i] = c;
      sin[position * half + i] = s;
      // One more turn by the frequency: double precision loses about 1e-16 per step, far below float32.
      [c, s] = [c * stepCos - s * stepSin, s * stepCos + c * stepSin];
    }
  }
  return { half, cos, sin };
}

/** ln(x) for x ≥ 1: halved until near 1, then 2·atanh((x−1)/(x+1)) as a series. */
export function naturalLog(x: number): number {
  let [rest, halvings] = [x, 0];
  while (rest > 1.5) {
    rest /= 2;
    halvings++;
  }
  return halvings * Math.LN2 + logSeries(rest);
}

/** e^x for x ≤ 0: the series at x/2^k, squared k times. */
export function exponential(x: number): number {
  let [rest, squarings] = [x, 0];
  while (rest < -0.5) {
    rest /= 2;
    squarings++;
  }
  let [result, term] = [1, 1];
  for (let n = 1; n <= 18; n++) {
    term *= rest / n;
    result += term;
  }
  for (let i = 0; i < squarings; i++) result *= result;
  return result;
}

/** Cosine and sine of an angle in [0, 1], by their series. */
export function cosSin(angle: number): [number, number] {
  let [cos, sin, term] = [0, 0, 1];
  for (let n = 0; n < 24; n += 2) {
    cos += term;
    term *= angle / (n + 1);
    sin += term;
    term *= -angle / (n + 2);
  }
  return [cos, sin];
}

function logSeries(x: number): number {
  const y = (x - 1) / (x + 1);
  let [result, power] = [0, y];
  for (let n = 1; n < 40; n += 2) {
    result += power / n;
    power *= y * y;
  }
  return 2 * result;
}
