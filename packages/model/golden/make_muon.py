#!/usr/bin/env python3
"""Golden values of three Muon steps from PyTorch, as JSON beside this file.

    python3 packages/model/golden/make_muon.py

Written from Jordan's description (https://kellerjordan.github.io/posts/muon) and Moonlight's update rule, in double
precision, not from our TypeScript. Parameters and gradients follow a formula (`values`), which the test repeats.
"""
import base64
import json
import pathlib

import torch

C, K, FF = 24, 12, 40
SHAPES = {
    "self_attn.q_proj": (C, C), "self_attn.k_proj": (K, C), "self_attn.v_proj": (K, C), "self_attn.o_proj": (C, C),
    "mlp.gate_proj": (FF, C), "mlp.up_proj": (FF, C), "mlp.down_proj": (C, FF),
}
MOMENTUM = float(torch.tensor(0.95, dtype=torch.float32))
RATE, RMS, DECAY, CLIP = 0.003, 0.2, 0.1, 0.37
torch.set_default_dtype(torch.float64)


def newton_schulz(G):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / G.norm()
    if G.size(0) > G.size(1):
        X = X.T
    for _ in range(5):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if G.size(0) > G.size(1) else X


def values(count, seed):
    return torch.tensor([((i * 7919 + seed * 104729) % 2001 - 1000) / 20000 for i in range(count)]).float().double()


def main():
    sizes = [rows * columns for rows, columns in SHAPES.values()]
    parameters = [part.view(shape) for part, shape in zip(values(sum(sizes), 1).split(sizes), SHAPES.values())]
    momenta = [torch.zeros_like(parameter) for parameter in parameters]
    for t in (1, 2, 3):
        gradients = values(sum(sizes), 7 * t).split(sizes)
        for parameter, momentum, gradient in zip(parameters, momenta, gradients):
            gradient = CLIP * gradient.view_as(parameter)
            momentum.lerp_(gradient, 1 - MOMENTUM)
            update = newton_schulz(gradient.lerp(momentum, MOMENTUM))
            parameter.mul_(1 - RATE * DECAY)
            parameter.add_(update, alpha=-RATE * RMS * max(parameter.shape) ** 0.5)
    packed = {
        f"model.layers.0.{name}.weight": base64.b64encode(parameter.float().numpy().tobytes()).decode()
        for name, parameter in zip(SHAPES, parameters)
    }
    (pathlib.Path(__file__).parent / "muon.json").write_text(json.dumps(packed) + "\n")


main()
