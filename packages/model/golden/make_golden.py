#!/usr/bin/env python3
"""Golden values of a whole decoder from PyTorch: loss, gradients, losses by row, logits, as JSON beside this file.

    python3 packages/model/golden/make_golden.py

The parameters follow a formula (`value`), which the test repeats; the gradients are stored as base64 of float32.
The model is written from the Llama paper and Hugging Face's conventions, not from our TypeScript.
"""
import base64
import json
import pathlib

import torch
import torch.nn.functional as F

CONFIG = {
    "vocab": 257, "hidden": 16, "layers": 2, "heads": 4, "kvHeads": 2, "feedForward": 24, "context": 8,
    "ropeTheta": 100, "normEpsilon": "0.00001",
}
ROWS = 2
torch.set_default_dtype(torch.float64)


def main():
    cases = [golden({**CONFIG, "tied": tied}) for tied in (True, False)]
    (pathlib.Path(__file__).parent / "decoder.json").write_text(json.dumps(cases) + "\n")


def golden(config):
    parameters = {name: make(name, shape) for name, shape in shapes(config).items()}
    tokens = torch.tensor([(i * i * 31 + 5) % config["vocab"] for i in range(ROWS * config["context"])])
    targets = torch.tensor([(i * 17 + 3) % config["vocab"] for i in range(ROWS * config["context"])])
    logits = forward(config, parameters, tokens.view(ROWS, -1))
    losses = F.cross_entropy(logits.view(-1, config["vocab"]), targets, reduction="none")
    losses.mean().backward()
    return {
        "config": config,
        "rows": ROWS,
        "tokens": tokens.tolist(),
        "targets": targets.tolist(),
        "loss": losses.mean().item(),
        "nll": losses.view(ROWS, -1).sum(1).tolist(),
        "logits": packed(logits[0, 4]),
        "gradients": {name: packed(p.grad) for name, p in parameters.items()},
    }


def shapes(config):
    C, FF, V = config["hidden"], config["feedForward"], config["vocab"]
    K = C // config["heads"] * config["kvHeads"]
    result = {"model.embed_tokens.weight": (V, C), "model.norm.weight": (C,)}
    for layer in range(config["layers"]):
        for name, shape in {
            "self_attn.q_proj": (C, C), "self_attn.k_proj": (K, C), "self_attn.v_proj": (K, C),
            "self_attn.o_proj": (C, C), "mlp.gate_proj": (FF, C), "mlp.up_proj": (FF, C), "mlp.down_proj": (C, FF),
            "input_layernorm": (C,), "post_attention_layernorm": (C,),
        }.items():
            result[f"model.layers.{layer}.{name}.weight"] = shape
    if not config["tied"]:
        result["lm_head.weight"] = (V, C)
    return result


def make(name, shape):
    seed = sum(name.encode())
    count = torch.Size(shape).numel()
    start = 1 if len(shape) == 1 else 0
    data = [start + ((i * 7919 + seed * 104729) % 2001 - 1000) / 4000 for i in range(count)]
    return torch.tensor(data).float().double().view(shape).requires_grad_()


def forward(config, parameters, tokens):
    B, T = tokens.shape
    H, G, D = config["heads"], config["kvHeads"], config["hidden"] // config["heads"]
    turns = torch.outer(torch.arange(T).double(), config["ropeTheta"] ** (-torch.arange(0, D, 2).double() / D))
    cos, sin = torch.cat([turns.cos()] * 2, -1), torch.cat([turns.sin()] * 2, -1)
    norm = lambda x, w: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + float(config["normEpsilon"])) * w
    turned = lambda x: x * cos + torch.cat([-x[..., D // 2 :], x[..., : D // 2]], -1) * sin
    x = parameters["model.embed_tokens.weight"][tokens]
    for layer in range(config["layers"]):
        w = lambda name: parameters[f"model.layers.{layer}.{name}.weight"]
        heads = lambda y, n: y.view(B, T, n, D).transpose(1, 2)
        h = norm(x, w("input_layernorm"))
        q = turned(heads(h @ w("self_attn.q_proj").T, H))
        k = turned(heads(h @ w("self_attn.k_proj").T, G)).repeat_interleave(H // G, 1)
        v = heads(h @ w("self_attn.v_proj").T, G).repeat_interleave(H // G, 1)
        scores = (q @ k.transpose(-1, -2) / D**0.5).masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, H * D)
        x = x + mixed @ w("self_attn.o_proj").T
        h = norm(x, w("post_attention_layernorm"))
        x = x + (F.silu(h @ w("mlp.gate_proj").T) * (h @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    head = "model.embed_tokens.weight" if config["tied"] else "lm_head.weight"
    return norm(x, parameters["model.norm.weight"]) @ parameters[head].T


def packed(x):
    return base64.b64encode(x.detach().float().numpy().tobytes()).decode()


main()
