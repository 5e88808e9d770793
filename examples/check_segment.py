"""Checks one segment of somebody's training with stock ONNX Runtime (and numpy): check_segment.py FOLDER

`./folkmoot replay --round R --segment K --export FOLDER` makes the folder: artifacts, named in the run's log by the
sha-256 of their bytes, and segment.json, which tells how they fit together. Numbers are little-endian. Exit status 0:
the claim holds; 1: it does not, or stderr says what is missing.
  run, round, segment, member   whose work this is
  artifacts                     file name -> sha-256, for:
    train.onnx                  parameters by name, tokens, targets [b*T] int32 -> loss, grad:NAME for each parameter
    norm.onnx                   g [chunk] -> sumSquares
    optimizer.onnx              AdamW: p, m, v, g, keep [chunk], four scalars -> newP, newM, newV
    accumulate.onnx             if b < B: sum, g [chunk], factor -> newSum = (sum + g) * factor
    muon.onnx                   if the optimizer is Muon: p, m, g [elements of a block], three scalars -> newP, newM
    start.params, end.params    float32 [N]: all tensors, one after another (what the member claims, before and after)
    start.moments, end.moments  bfloat16: m [N], then v [secondMoments], which is that of the last elements
    tokens                      int32 [S, B, T+1], B `rows` of T = `context` tokens for each step; targets are one later;
                                b = `microRows` rows at a time: a step's gradient is the mean of those of its parts
  tensors                       name, shape and offset of each parameter; their sizes add up to N
  decayElements, chunk          weight decay is for the elements before the first; AdamW takes as many at a time
  blocks                        count of elements each, at the start: what Muon takes, one block at a time
  optimizer                     the charter's rules, decimals as text
  steps                         S times learningRate, beta1Power, beta2Power (beta^t, t from 1): doubles as text
  tolerancePpm                  how far another processor may come out, in millionths of what the segment changed; of a
                                moment what goes beyond one step of bfloat16 counts
"""
import hashlib, json, math, pathlib, sys

if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    sys.exit(__doc__)
try:
    import numpy as np
    import onnxruntime
except ImportError as missing:
    sys.exit(f"{missing}: python3 -m pip install onnxruntime numpy")

folder = pathlib.Path(sys.argv[1])
try:
    segment = json.loads((folder / "segment.json").read_text())
except (OSError, ValueError) as found:
    sys.exit(f"{folder} is no folder that `./folkmoot replay --export` made: {found}")
rules, tensors, chunk = segment["optimizer"], segment["tensors"], segment["chunk"]
elements = sum(math.prod(tensor["shape"]) for tensor in tensors)
turned = elements - segment["secondMoments"]  # Muon's part: the rest is AdamW's


def artifact(name):
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != segment["artifacts"][name]:
        sys.exit(f"{name} is damaged: its sha-256 is not the one in segment.json")
    return data


def state(params, moments):
    """Parameters, m and v as float32, padded with zeros behind for whole chunks; bfloat16 is the upper half of float32."""
    halves = (np.frombuffer(moments, "<u2").astype(np.uint32) << 16).view(np.float32)
    arenas = np.frombuffer(params, "<f4"), halves[:elements], np.pad(halves[elements:], (turned, 0))
    return [np.pad(arena, (0, chunk)) for arena in arenas]


def to_bfloat16(values):
    bits = values.copy().view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()  # To nearest, ties to even.


def near(mine, claimed):
    """Moments one step of bfloat16 closer to what is claimed, since the smallest difference may round either way."""
    mine, claimed = (np.frombuffer(moments, "<u2").astype(int) for moments in (mine, claimed))
    mine, claimed = (np.where(halves & 0x8000, 0x8000 - halves, halves) for halves in (mine, claimed))  # In their order.
    moved = mine + np.sign(claimed - mine)
    return np.where(moved < 0, 0x8000 - moved, moved).astype("<u2").tobytes()


def parts(arena):
    for name, shape, offset in ((tensor["name"], tensor["shape"], tensor["offset"]) for tensor in tensors):
        yield name, arena[offset : offset + math.prod(shape)].reshape(shape)


def scalars(step, sum_squares):
    """What AdamW takes, what Muon takes, and what decay leaves: in double precision, each rounded to float32 once."""
    rate, first, second = (float(step[name]) for name in ("learningRate", "beta1Power", "beta2Power"))
    beta1, beta2 = (float(np.float32(rules[name])) for name in ("beta1", "beta2"))
    norm, limit, root = math.sqrt(sum_squares), float(rules["clipNorm"]), math.sqrt(1 - second)
    clip = float(np.float32(limit / norm)) if norm > limit else 1.0
    keep = 1 - rate * float(rules["weightDecay"])
    adamw = dict(gradientScale=(1 - beta1) * clip, squareScale=(1 - beta2) * clip * clip,
                 rate=rate * root / (1 - first), epsilon=float(rules["epsilon"]) * root)
    muon = turned and dict(gradientScale=(1 - float(np.float32(rules["momentum"]))) * clip,
                           rate=rate * float(rules["updateRms"]), keep=keep)
    return *({name: np.array(value, np.float32) for name, value in part.items()} for part in (adamw, muon or {})), keep


def gradient_of(batch):
    """Loss and gradient of one batch: the mean over its micro-batches, added in their order."""
    count, losses, gradient = len(batch) // segment["microRows"], [], np.zeros_like(now[0])
    for index, part in enumerate(np.split(batch, count)):
        feeds = {name: part.copy() for name, part in parts(now[0])}
        feeds.update(tokens=part[:, :-1].ravel(), targets=part[:, 1:].ravel())
        results = dict(zip((output.name for output in train.get_outputs()), train.run(None, feeds)))
        micro = np.zeros_like(gradient)
        for name, place in parts(micro):
            place[...] = results[f"grad:{name}"]
        losses.append(float(results["loss"]))
        factor = np.array(1 / count if index == count - 1 else 1, np.float32)
        for place in chunks(0) if index else []:
            feeds = {"sum": gradient[place].copy(), "g": micro[place].copy(), "factor": factor}
            micro[place] = accumulate.run(["newSum"], feeds)[0]
        gradient = micro
    return sum(losses) / count, gradient


def session(name):
    options = onnxruntime.SessionOptions()  # Operator by operator, as the members run it: fusions would round otherwise.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(artifact(f"{name}.onnx"), options, providers=["CPUExecutionProvider"])


train, norm, optimizer = (session(name) for name in ("train", "norm", "optimizer"))
muon = session("muon") if turned else None
accumulate = session("accumulate") if segment["microRows"] < segment["rows"] else None
rows = np.frombuffer(artifact("tokens"), "<i4").reshape(-1, segment["rows"], segment["context"] + 1)
start, claimed = (state(artifact(f"{when}.params"), artifact(f"{when}.moments")) for when in ("start", "end"))
now = [arena.copy() for arena in start]
chunks = lambda start: [slice(at, at + chunk) for at in range(start, elements, chunk)]
size = segment["blocks"]["elements"]
for step, batch in zip(segment["steps"], rows, strict=True):
    (loss, gradient), sum_squares = gradient_of(batch), 0.0
    for place in chunks(0):  # One after another: from Python 3.12 on, `sum` rounds in another way.
        sum_squares += float(norm.run(None, {"g": gradient[place]})[0])
    adamw_values, muon_values, keep = scalars(step, sum_squares)
    kept = np.where(np.arange(gradient.size) < segment["decayElements"], keep, 1).astype(np.float32)
    for place in chunks(turned):
        feeds = {name: arena[place].copy() for name, arena in zip("pmvg", [*now, gradient])}
        feeds.update(adamw_values, keep=kept[place])
        for arena, new in zip(now, optimizer.run(["newP", "newM", "newV"], feeds)):
            arena[place] = new
    for place in (slice(at, at + size) for at in range(0, turned, size)):
        feeds = {name: arena[place].copy() for name, arena in zip("pmg", [*now[:2], gradient])}
        for arena, new in zip(now, muon.run(["newP", "newM"], {**feeds, **muon_values})):
            arena[place] = new
    print(f"loss {loss:.6f}")

params, m, v = (arena[:elements] for arena in now)
end = {"end.params": params.tobytes(), "end.moments": to_bfloat16(m) + to_bfloat16(v[turned:])}
if all(hashlib.sha256(data).hexdigest() == segment["artifacts"][name] for name, data in end.items()):
    sys.exit(print("match: the same bits"))
worst = (0.0, "nothing")
alike = state(end["end.params"], near(end["end.moments"], artifact("end.moments")))
kinds = zip(("", "m of ", "v of "), (1e-7, 1e-12, 1e-24), start, state(*end.values()), alike, claimed)
for prefix, floor, *arenas in kinds:
    for (name, a), (_, b), (_, c), (_, d) in zip(*(parts(arena.astype(np.float64)) for arena in arenas)):
        change = max(float(np.linalg.norm(b - a)), floor * math.sqrt(a.size))
        worst = max(worst, (float(np.linalg.norm(d - c)) / change * 1e6, prefix + name))
print(f"differs by {worst[0]:.1f} ppm of the change, most in {worst[1]}; {segment['tolerancePpm']} are allowed")
sys.exit(not worst[0] <= segment["tolerancePpm"])
