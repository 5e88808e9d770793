#!/usr/bin/env python3
"""Golden values of operators from PyTorch: inputs, outputs and gradients, as JSON beside this file.

Run with any PyTorch (Debian: apt install python3-torch):

    python3 packages/tensor/golden/make_golden.py

The tests read the JSON, so they need no Python. The loss of each case is sum(output * weight) with a weight tensor that
is stored too, so every element of every gradient is exercised.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


def main():
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float64)
    for name, (inputs, function) in cases().items():
        write(name, inputs, function)


def cases():
    r = torch.randn
    ids = torch.tensor([3, 1, 3, 3, 0])
    cos, sin = angles(5, 4)
    return {
        "add": ([r(2, 3), r(3)], lambda a, b: a + b),
        "subtract": ([r(2, 3), r(2, 1)], lambda a, b: a - b),
        "multiply": ([r(2, 3), r(1, 3)], lambda a, b: a * b),
        "divide": ([r(2, 3), r(3).abs() + 1], lambda a, b: a / b),
        "squareRoot": ([r(2, 3).abs() + 1], torch.sqrt),
        "reciprocal": ([r(2, 3).abs() + 1], torch.reciprocal),
        "exponential": ([r(2, 3)], torch.exp),
        "logarithm": ([r(2, 3).abs() + 1], torch.log),
        "sigmoid": ([r(2, 3)], torch.sigmoid),
        "softmax": ([r(3, 5)], lambda x: torch.softmax(x, -1)),
        "sum": ([r(3, 4)], lambda x: x.sum(0, keepdim=True)),
        "sumOfSquares": ([r(3, 4)], lambda x: (x * x).sum(1, keepdim=True)),
        "matrixProduct": ([r(3, 4), r(5, 4)], lambda a, b: a @ b.T),
        "batchProduct": ([r(2, 1, 3, 4), r(3, 4, 2)], lambda a, b: a @ b),
        "embedding": ([r(4, 3), ids], lambda table, i: table[i]),
        "rmsNorm": ([r(3, 6), r(6)], lambda x, w: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * w),
        "swiglu": ([r(3, 4), r(3, 4)], lambda gate, up: F.silu(gate) * up),
        "rotary": ([r(2, 2, 5, 4), cos, sin], rotate),
        "causalAttention": ([r(2, 4, 5, 6), r(2, 2, 5, 6), r(2, 2, 5, 6)], attention),
        "crossEntropy": ([r(5, 7) * 3, torch.tensor([6, 0, 2, 2, 5])], F.cross_entropy),
        "crossEntropyWithZ": (
            [r(5, 7) * 3, torch.tensor([6, 0, 2, 2, 5])],
            lambda z, targets: F.cross_entropy(z, targets) + 0.1 * (z.logsumexp(-1) ** 2).mean(),
        ),
    }


def angles(time, size):
    turns = torch.outer(torch.arange(time).double(), 100.0 ** (-torch.arange(0, size, 2) / size))
    return turns.cos(), turns.sin()


def rotate(x, cos, sin):
    """Hugging Face's: x * cos + rotate_half(x) * sin."""
    cos, sin = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def attention(q, k, v):
    repeat = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
    scores = q @ k.transpose(-1, -2) * 0.4
    future = torch.ones(scores.shape[-2:]).triu(1).bool()
    return scores.masked_fill(future, -torch.inf).softmax(-1) @ v


def write(name, inputs, function):
    fixed = name == "rotary"  # its tables are constants
    for i, x in enumerate(inputs):
        x.requires_grad_(x.is_floating_point() and not (fixed and i > 0))
    output = function(*inputs)
    weight = torch.randn(output.shape)
    (output * weight).sum().backward()
    case = {
        "inputs": [tensor(x) for x in inputs],
        "output": tensor(output),
        "weight": tensor(weight),
        "gradients": [None if x.grad is None else tensor(x.grad) for x in inputs],
    }
    (HERE / f"{name}.json").write_text(json.dumps(case) + "\n")


def tensor(x):
    dtype = "float32" if x.is_floating_point() else "int32"
    data = [float(f"{value:.9g}") if dtype == "float32" else value for value in x.detach().flatten().tolist()]
    return {"dtype": dtype, "shape": list(x.shape), "data": data}


main()
