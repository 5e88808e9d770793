/** The Node side of the stand-in beside it: one JSON request a line, one reply a line. Session options are those of the caller. */
import { createInterface } from 'node:readline';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const sessions = [];

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

async function answer(request) {
  if ('load' in request) {
    const options = { graphOptimizationLevel: request.level };
    const session = await InferenceSession.create(Buffer.from(request.load, 'base64'), options);
    return { session: sessions.push(session) - 1, outputs: session.outputNames };
  }
  const feeds = Object.fromEntries(Object.entries(request.feeds).map(([name, value]) => [name, unpacked(value)]));
  const results = await sessions[request.run].run(feeds, request.outputs);
  return { outputs: request.outputs.map((name) => packed(results[name])) };
}

function unpacked({ type, shape, data }) {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return new Tensor(type, new { float32: Float32Array, int32: Int32Array }[type](bytes.buffer), shape);
}

function packed({ type, dims, data }) {
  return { type, shape: dims, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
}
