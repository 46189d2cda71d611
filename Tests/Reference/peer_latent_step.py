"""Time of a training step of the latent network in PyTorch: forward, backward, Adam and an average.

usage: peer_latent_step.py [--threads 2] [--batch 1] [--precision bf16|fp32] [--steps 4]

The network is the oracle's of 561 M parameters. Adam is PyTorch's fused one and the average one call over all
tensors, the fastest of each. Where bf16 dies with SIGILL, set ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16.
"""
import argparse
import resource
import time

import torch

from diffit_reference import LatentDiffiT

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
parser.add_argument("--steps", type=int, default=4)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
network = LatentDiffiT()
optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, foreach=False, fused=True)
average = [p.detach().clone() for p in network.parameters()]
latents = torch.randn(options.batch, 4, 32, 32)
noise = torch.randn_like(latents)
times = torch.randint(0, 1000, (options.batch,))
labels = torch.randint(0, 1000, (options.batch,))
seconds = []
for step in range(options.steps):
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
        out = network(latents, times, labels)
        loss = ((out[:, :4].float() - noise) ** 2).mean()
    forward = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    backward = time.perf_counter()
    optimizer.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, list(network.parameters()), 1e-4)
    end = time.perf_counter()
    seconds.append(end - start)
    print(f"step {step}: {end - start:.2f} s: forward {forward - start:.2f}, backward {backward - forward:.2f},"
          f" update {end - backward:.2f}", flush=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{options.precision}, batch {options.batch}, {options.threads} threads: best {min(seconds[1:]):.2f} s,"
      f" {options.batch / min(seconds[1:]):.3f} images/s, {peak:.2f} GiB")
