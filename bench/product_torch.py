#!/usr/bin/env python3
"""The rate of one matrix product in PyTorch, for `bench/step.ts`: what the BLAS under it can do.

Prints GFLOP/s of products of 512 x 512 matrices on one thread, by processor time, so that other work does not count.
"""
import time

import torch

SIZE, COUNT = 512, 10

torch.set_num_threads(1)
a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
a @ b
start = time.process_time()
for _ in range(COUNT):
    a @ b
print(COUNT * 2 * SIZE**3 / (time.process_time() - start) / 1e9)
