"""Logits of an exported folder in plain PyTorch, to hold against ours: reference_forward.py [FOLDER TOKENS]...

TOKENS is `72,101`. Prints a JSON list of lists: the logits after the last token of each pair. Needs torch alone; the files are read by hand.
"""
import json
import struct
import sys

import torch


def read_tensors(path):
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = bytearray(data[start + begin : start + end])
        tensors[name] = torch.frombuffer(raw, dtype=torch.float32).reshape(entry["shape"])
    return tensors


def rms_norm(x, weight, epsilon):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def rotate(x, theta):
    time, half = x.shape[-2], x.shape[-1] // 2
    frequency = theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.outer(torch.arange(time, dtype=torch.float64), frequency).repeat(1, 2)
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * angle.cos().float() + turned * angle.sin().float()


def forward(folder, tokens):
    config = json.load(open(f"{folder}/config.json"))
    weights = read_tensors(f"{folder}/model.safetensors")
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    size, epsilon, theta = config["head_dim"], config["rms_norm_eps"], config["rope_theta"]
    time = len(tokens)
    mask = torch.full((time, time), float("-inf")).triu(1)

    x = weights["model.embed_tokens.weight"][torch.tensor(tokens)]
    for layer in range(config["num_hidden_layers"]):
        def linear(y, name):
            return y @ weights[f"model.layers.{layer}.{name}.weight"].T

        def split(y, count):
            return y.reshape(time, count, size).transpose(0, 1)

        h = rms_norm(x, weights[f"model.layers.{layer}.input_layernorm.weight"], epsilon)
        q = rotate(split(linear(h, "self_attn.q_proj"), heads), theta)
        k = rotate(split(linear(h, "self_attn.k_proj"), groups), theta).repeat_interleave(heads // groups, 0)
        v = split(linear(h, "self_attn.v_proj"), groups).repeat_interleave(heads // groups, 0)
        mixed = torch.softmax(q @ k.transpose(1, 2) / size**0.5 + mask, dim=-1) @ v
        x = x + linear(mixed.transpose(0, 1).reshape(time, heads * size), "self_attn.o_proj")
        h = rms_norm(x, weights[f"model.layers.{layer}.post_attention_layernorm.weight"], epsilon)
        gated = torch.nn.functional.silu(linear(h, "mlp.gate_proj")) * linear(h, "mlp.up_proj")
        x = x + linear(gated, "mlp.down_proj")
    head = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return weights[head] @ rms_norm(x[-1], weights["model.norm.weight"], epsilon)


if __name__ == "__main__":
    pairs = zip(sys.argv[1::2], sys.argv[2::2])
    with torch.no_grad():
        print(json.dumps([forward(folder, [int(token) for token in tokens.split(",")]).tolist() for folder, tokens in pairs]))
