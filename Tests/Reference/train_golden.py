#!/usr/bin/env python3
"""Trains the oracle for 200 steps and records every loss: the golden of the trainer's own loop.

usage: train_golden.py OUT.json [lr=1e-3]        (needs torch, numpy)

Nothing large is stored: weights, images, noise levels and noise are drawn by philox.py, whose bits
are those of Sources/TensorCore, so that the Swift test draws the same. All draws are f64, rounded
to f32 once.

  position     p = step * batch + i for image i of a step; no image is used twice
  image p      u = uniforms of RandomStream(seed, test, 0, p): a colour, draws 0 1 2 for channels
               0 1 2, and grain, draw 3 + j for element j in HWC order:
               clip((2 u[channel] - 1) + 0.3 (2 u[3 + j] - 1), -1, 1)
  sigma p      exp(p_mean + p_std * normal 0) of RandomStream(seed, sigma, 0, p)
  noise p      normals 0 1 2 ... of RandomStream(seed, noise, 0, p), in HWC order
  parameter i  normals 0 1 2 ... of RandomStream(seed, test, 1 + i, 0) in the order of the PyTorch
               layout; i counts named_parameters(). Bias tables and biases: 0.02 normal; other
               weights of two and more dimensions: normal / sqrt(elements / shape[0]); weights of
               norms: 1 + 0.1 normal

The loss is edm_loss, a mean over all elements; Adam as in PyTorch: eps not scaled, no warm-up.
"losses_f64" is the same training in f64 (but for the positional embedding, which the oracle
computes in f32): how far rounding alone carries the two apart bounds what a comparison with
"losses" can ask. "probe" holds a few of the draws, to tell a wrong input from a wrong network: of position 9
the first image and noise elements in HWC order and sigma, and element 1 of every parameter.
"""
import json
import math
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the order of sums depends on the threads
import numpy as np
import torch

import diffit_reference as reference
import philox
from philox import RandomStream

MODEL = dict(resolution=8, channels=(16, 32), blocks=(1, 1), window=4, head_dim=8, time_dim=32,
             embed_dim=16, classes=0, augment_dim=0, dropout=0.0)
SETTINGS = dict(seed=20231204, steps=200, batch=8, lr=1e-3, betas=(0.9, 0.999), eps=1e-8,
                sigma_data=0.5, p_mean=-1.2, p_std=1.2)


def parameter(seed, index, name, shape):
    """Initial values of parameter `index`, f32."""
    count = math.prod(shape)
    normals = RandomStream(seed, "test", 1 + index, 0).normals(count)
    if name.endswith(".table") or name.endswith(".bias"):
        values = 0.02 * normals
    elif len(shape) >= 2:
        values = normals * (1 / math.sqrt(count // shape[0]))
    else:
        values = 1 + 0.1 * normals
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def sample(settings, position, side):
    """Image [3, side, side], sigma and noise of one position, f32."""
    seed = settings["seed"]
    u = 2 * RandomStream(seed, "test", 0, position).uniforms(3 + side * side * 3) - 1
    image = np.clip(u[:3] + 0.3 * u[3:].reshape(side, side, 3), -1, 1)
    normal = RandomStream(seed, "sigma", 0, position).normals(1)
    sigma = philox.exp(settings["p_mean"] + settings["p_std"] * normal)[0]
    noise = RandomStream(seed, "noise", 0, position).normals(side * side * 3)
    chw = [v.reshape(side, side, 3).transpose(2, 0, 1).astype(np.float32) for v in (image, noise)]
    return chw[0], np.float32(sigma), chw[1]


def network(seed, dtype):
    net = reference.ImageDiffiT(**MODEL)
    with torch.no_grad():
        for i, (name, p) in enumerate(net.named_parameters()):
            p.copy_(parameter(seed, i, name, tuple(p.shape)))
    return net.to(dtype)


def train(settings, dtype):
    """The losses of every step."""
    net = network(settings["seed"], dtype)
    denoiser = reference.EDMPrecond(net, settings["sigma_data"])
    adam = torch.optim.Adam(net.parameters(), lr=settings["lr"], betas=settings["betas"],
                            eps=settings["eps"])
    losses = []
    for step in range(settings["steps"]):
        first = step * settings["batch"]
        positions = range(first, first + settings["batch"])
        samples = [sample(settings, p, MODEL["resolution"]) for p in positions]
        y, sigma, noise = [torch.from_numpy(np.stack(v)).to(dtype) for v in zip(*samples, strict=True)]
        loss = reference.edm_loss(denoiser, y, sigma, noise)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


def main():
    philox.check()
    torch.set_num_threads(1)
    settings = dict(SETTINGS)
    for pair in sys.argv[2:]:
        key, value = pair.split("=")
        assert key in settings, f"unknown setting {key}"
        settings[key] = type(settings[key])(value)
    losses = train(settings, torch.float32)
    embedding = reference.positional_embedding
    reference.positional_embedding = lambda *a, **k: embedding(*a, **k).double()
    exact = train(settings, torch.float64)
    apart = [abs(a - b) / b for a, b in zip(losses, exact, strict=True)]
    worst = max(range(len(apart)), key=apart.__getitem__)
    names = list(network(settings["seed"], torch.float32).named_parameters())
    image, sigma, noise = sample(settings, 9, MODEL["resolution"])
    hwc = [[float(x) for x in v.transpose(1, 2, 0).reshape(-1)[:6]] for v in (image, noise)]
    probe = dict(position=9, image=hwc[0], noise=hwc[1], sigma=float(sigma),
                 parameters=[p.reshape(-1)[1].item() for _, p in names])
    golden = dict(
        kind="train", model=MODEL, **settings,
        parameters=[[name, list(p.shape)] for name, p in names],
        probe=probe, worst_fp32_to_f64=apart[worst], losses=losses, losses_f64=exact)
    with open(sys.argv[1], "w") as file:
        # One line a key keeps the file readable and a change of it small.
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{sys.argv[1]}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, mean of the last 20 "
          f"{np.mean(losses[-20:]):.4f}; fp32 and f64 are at most {apart[worst]:.1e} apart "
          f"(step {worst}), {apart[-1]:.1e} at the end")


if __name__ == "__main__":
    main()
