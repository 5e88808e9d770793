#!/usr/bin/env python3
"""Training steps in PyTorch, for `bench/step.ts`: forward, backward, clip, AdamW.

Usage: step_torch.py THREADS VOCAB HIDDEN LAYERS HEADS KV_HEADS FEED_FORWARD CONTEXT ROWS
Reads one line per step from standard input and answers with its milliseconds, so that the caller can alternate; at
the end of its input it tells its peak memory in kilobytes.
"""
import resource
import sys
import time

# Before the import of torch, which takes seconds: the parent may be gone meanwhile.
from asked import asked, say

import torch
import torch.nn.functional as F

threads, V, C, L, H, G, FF, T, B = map(int, sys.argv[1:])
D = C // H
torch.set_num_threads(threads)
torch.manual_seed(1)


def parameter(*shape):
    return torch.nn.Parameter(torch.randn(*shape) * 0.02)


embedding = parameter(V, C)
final_norm = torch.nn.Parameter(torch.ones(C))
layers = [
    {
        "norm1": torch.nn.Parameter(torch.ones(C)),
        "norm2": torch.nn.Parameter(torch.ones(C)),
        "q": parameter(C, C),
        "k": parameter(G * D, C),
        "v": parameter(G * D, C),
        "o": parameter(C, C),
        "gate": parameter(FF, C),
        "up": parameter(FF, C),
        "down": parameter(C, FF),
    }
    for _ in range(L)
]
parameters = [embedding, final_norm] + [p for layer in layers for p in layer.values()]
optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
turns = torch.outer(torch.arange(T).float(), 10000.0 ** (-torch.arange(0, D, 2).float() / D))
cos, sin = torch.cat([turns.cos()] * 2, -1), torch.cat([turns.sin()] * 2, -1)
mask = torch.full((T, T), float("-inf")).triu(1)


def norm(x, weight):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * weight


def rotate(x):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def attention(x, layer):
    heads = lambda y, n: y.view(B, T, n, D).transpose(1, 2)
    q, k, v = heads(F.linear(x, layer["q"]), H), heads(F.linear(x, layer["k"]), G), heads(F.linear(x, layer["v"]), G)
    q, k = rotate(q), rotate(k)
    if G < H:
        k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
    p = (q @ k.transpose(-1, -2) * D**-0.5 + mask).softmax(-1)
    return F.linear((p @ v).transpose(1, 2).reshape(B, T, C), layer["o"])


def loss_of(tokens, targets):
    x = F.embedding(tokens, embedding)
    for layer in layers:
        x = x + attention(norm(x, layer["norm1"]), layer)
        h = norm(x, layer["norm2"])
        x = x + F.linear(F.silu(F.linear(h, layer["gate"])) * F.linear(h, layer["up"]), layer["down"])
    return F.cross_entropy(F.linear(norm(x, final_norm), embedding).view(-1, V), targets.view(-1))


tokens = torch.randint(0, V, (B, T))
targets = torch.randint(0, V, (B, T))
say("ready", torch.__version__)
for _ in asked():
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss_of(tokens, targets).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    say((time.perf_counter() - start) * 1000)
say("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
