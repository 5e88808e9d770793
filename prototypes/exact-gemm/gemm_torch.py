"""Times PyTorch's matrix product: a line `m n k transA transB` prepares one, an empty line runs it; answers
milliseconds of processor time."""
import sys
import time

import torch

torch.set_num_threads(1)
for line in sys.stdin:
    if line.strip():
        m, n, k, trans_a, trans_b = map(int, line.split())
        a = torch.randn(k, m).t() if trans_a else torch.randn(m, k)
        b = torch.randn(n, k).t() if trans_b else torch.randn(k, n)
        print(0, flush=True)
    else:
        start = time.process_time()
        torch.mm(a, b)
        print((time.process_time() - start) * 1000, flush=True)
