/**
 * An independent reading of an exported folder: a Llama forward pass in double precision, from the files alone.
 *
 * Nothing of `tensor` or `model` is used, so that a mistake there cannot agree with itself here. Loops, not speed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Tensor {
  readonly shape: number[];
  readonly data: Float32Array;
}

/** The logits after the last of `tokens`, for the folder's model: `[V]`. */
export function referenceLogits(folder: string, tokens: readonly number[]): Float64Array {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const weights = readTensors(readFileSync(join(folder, 'model.safetensors')));
  const weight = (name: string) => weights.get(`${name}.weight`)!;
  const embedding = weight('model.embed_tokens');
  const norm = (x: Float64Array, name: string) => rmsNorm(x, weight(name).data, config.rms_norm_eps);

  let stream: Float64Array[] = tokens.map((token) => Float64Array.from(rowOf(embedding, token)));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `model.layers.${layer}`;
    const projected = (inputs: Float64Array[], key: string) => inputs.map((x) => product(weight(`${name}.${key}`), x));
    const normed = stream.map((x) => norm(x, `${name}.input_layernorm`));
    const mixed = attention(
      projected(normed, 'self_attn.q_proj'),
      projected(normed, 'self_attn.k_proj'),
      projected(normed, 'self_attn.v_proj'),
      config,
    );
    stream = sums(stream, projected(mixed, 'self_attn.o_proj'));
    const again = stream.map((x) => norm(x, `${name}.post_attention_layernorm`));
    const up = projected(again, 'mlp.up_proj');
    const gated = projected(again, 'mlp.gate_proj').map((gate, t) =>
      gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[t]![i]!),
    );
    stream = sums(stream, projected(gated, 'mlp.down_proj'));
  }
  const last = norm(stream.at(-1)!, 'model.norm');
  return product(config.tie_word_embeddings ? embedding : weight('lm_head'), last);
}

function readTensors(file: Buffer): Map<string, Tensor> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start));
  delete header.__metadata__;
  return new Map(
    Object.entries<{ shape: number[]; data_offsets: [number, number] }>(header).map(
      ([name, { shape, data_offsets }]) => {
        const bytes = Uint8Array.from(file.subarray(start + data_offsets[0], start + data_offsets[1]));
        return [name, { shape, data: new Float32Array(bytes.buffer) }];
      },
    ),
  );
}

function rowOf({ shape, data }: Tensor, row: number): Float32Array {
  return data.subarray(row * shape[1]!, (row + 1) * shape[1]!);
}

function product(matrix: Tensor, x: Float64Array): Float64Array {
  return Float64Array.from({ length: matrix.shape[0]! }, (_, row) =>
    rowOf(matrix, row).reduce((sum, w, i) => sum + w * x[i]!, 0),
  );
}

function rmsNorm(x: Float64Array, weight: Float32Array, epsilon: number): Float64Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + epsilon)) * weight[i]!);
}

function sums(a: Float64Array[], b: Float64Array[]): Float64Array[] {
  return a.map((x, t) => x.map((value, i) => value + b[t]![i]!));
}

interface AttentionConfig {
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rope_theta: number;
}

function attention(q: Float64Array[], k: Float64Array[], v: Float64Array[], config: AttentionConfig): Float64Array[] {
  const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: size, rope_theta: theta } = config;
  const part = (x: Float64Array, head: number) => x.subarray(head * size, (head + 1) * size);
  return q.map((row, t) => {
    const output = new Float64Array(heads * size);
    for (let head = 0; head < heads; head++) {
      const group = Math.floor((head * groups) / heads);
      const query = rotated(part(row, head), t, theta);
      const scores = k.slice(0, t + 1).map((key, s) => {
        const turned = rotated(part(key, group), s, theta);
        return query.reduce((sum, value, i) => sum + value * turned[i]!, 0) / Math.sqrt(size);
      });
      const peak = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - peak));
      const total = shares.reduce((sum, share) => sum + share, 0);
      for (const [s, share] of shares.entries())
        for (const [i, value] of part(v[s]!, group).entries()) output[head * size + i]! += (share / total) * value;
    }
    return output;
  });
}

function rotated(x: Float64Array, position: number, theta: number): Float64Array {
  const half = x.length / 2;
  return x.map((value, i) => {
    const angle = position / theta ** ((i % half) / half);
    const partner = i < half ? -x[i + half]! : x[i - half]!;
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}
