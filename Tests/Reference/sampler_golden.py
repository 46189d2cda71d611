#!/usr/bin/env python3
"""Draws images with the oracle and plain samplers in f64: the golden of the samplers.

usage: sampler_golden.py OUT.json        (needs torch, numpy)

Samplers are written as their papers have them: Heun and Euler on EDM's noise levels, DDPM, DDIM and
DPM-Solver++ on a variance preserving process, x = alpha clean + sigma noise with alpha^2 + sigma^2 = 1,
whose sigma / alpha are the same levels. The Swift samplers work in x / alpha throughout, so that
agreement is that of two derivations.

Weights, noise and labels are not stored. Weights are drawn as train_golden.py draws them; noise is that
of philox.py:

  first noise  normals of RandomStream(0, samplerNoise, 0, seed of the image), in HWC order
  step i adds  normals of RandomStream(0, samplerChurn, i, seed of the image)

The network runs in f64, too, but for the positional embedding. Each entry of "samples" has the images
of all seeds in HWC order.
"""
import json
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import torch

import diffit_reference as reference
import philox
from philox import RandomStream
from train_golden import parameter

MODEL = dict(resolution=8, channels=(16, 32), blocks=(1, 1), window=4, head_dim=8, time_dim=32,
             embed_dim=16, classes=3, augment_dim=0, dropout=0.0)
WEIGHTS = 20240516
SEEDS = [3, 1 << 33]
LABELS = [2, 0]
SIDE = MODEL["resolution"]


def levels(steps, least=0.002, most=80.0, rho=7.0):
    i = np.arange(steps) / (steps - 1)
    return np.append((most**(1 / rho) + i * (least**(1 / rho) - most**(1 / rho))) ** rho, 0)


def normals(purpose, substream):
    """[B, H, W, C], f64."""
    count = SIDE * SIDE * 3
    images = [RandomStream(0, purpose, substream, seed).normals(count) for seed in SEEDS]
    return np.stack(images).reshape(-1, SIDE, SIDE, 3)


class Denoiser:
    """D(x; sigma) of x [B, H, W, C] under LABELS, with guidance where sigma lies in an interval."""

    def __init__(self, scale=1.0, interval=(0, np.inf)):
        self.net = reference.ImageDiffiT(**MODEL)
        with torch.no_grad():
            for i, (name, p) in enumerate(self.net.named_parameters()):
                p.copy_(parameter(WEIGHTS, i, name, tuple(p.shape)))
        self.precondition = reference.EDMPrecond(self.net.double(), 0.5)
        self.label = torch.eye(MODEL["classes"], dtype=torch.float64)[LABELS]
        self.scale, self.interval = scale, interval

    def __call__(self, x, sigma):
        with torch.no_grad():
            x = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
            level = torch.full((len(x),), sigma, dtype=torch.float64)
            guess = self.precondition(x, level, self.label)
            if self.scale != 1 and self.interval[0] <= sigma <= self.interval[1]:
                free = self.precondition(x, level, torch.zeros_like(self.label))
                guess = free + self.scale * (guess - free)
        return guess.numpy().transpose(0, 2, 3, 1)


def edm(denoise, t, churn=0.0, least=0.0, most=np.inf, noise=1.0, corrects=True):
    """Karras et al., Algorithm 2."""
    steps = len(t) - 1
    x = t[0] * normals("samplerNoise", 0)
    for i in range(steps):
        gamma = min(churn / steps, np.sqrt(2) - 1) if least <= t[i] <= most else 0
        hat = t[i] * (1 + gamma)
        if gamma > 0:
            x = x + np.sqrt(hat**2 - t[i] ** 2) * noise * normals("samplerChurn", i)
        d = (x - denoise(x, hat)) / hat
        following = x + (t[i + 1] - hat) * d
        if corrects and t[i + 1] > 0:
            e = (following - denoise(following, t[i + 1])) / t[i + 1]
            following = x + (t[i + 1] - hat) * (d + e) / 2
        x = following
    return x


def ddpm(denoise, t):
    """Ho et al., Algorithm 2 with beta tilde, between the kept levels of the process."""
    kept = 1 / (1 + t**2)  # alpha bar
    x = normals("samplerNoise", 0) * t[0] * np.sqrt(kept[0])
    for i in range(len(t) - 1):
        a, b = kept[i], kept[i + 1]
        beta = 1 - a / b
        clean = denoise(x / np.sqrt(a), t[i])
        mean = (np.sqrt(b) * beta / (1 - a) * clean + np.sqrt(1 - beta) * (1 - b) / (1 - a) * x)
        variance = (1 - b) / (1 - a) * beta
        x = mean + np.sqrt(variance) * normals("samplerChurn", i) if b < 1 else mean
    return x


def ddim(denoise, t, eta):
    """Song et al., eq. (12) with the deviation of eq. (16)."""
    kept = 1 / (1 + t**2)
    x = normals("samplerNoise", 0) * t[0] * np.sqrt(kept[0])
    for i in range(len(t) - 1):
        a, b = kept[i], kept[i + 1]
        clean = denoise(x / np.sqrt(a), t[i])
        noise = (x - np.sqrt(a) * clean) / np.sqrt(1 - a)
        deviation = eta * np.sqrt((1 - b) / (1 - a)) * np.sqrt(1 - a / b)
        x = np.sqrt(b) * clean + np.sqrt(1 - b - deviation**2) * noise
        if deviation > 0:
            x = x + deviation * normals("samplerChurn", i)
    return x


def dpm_solver(denoise, t):
    """Lu et al. (DPM-Solver++), Algorithm 2: multistep, data prediction; order 1 at both ends."""
    alpha = 1 / np.sqrt(1 + t**2)
    sigma = t * alpha
    x = normals("samplerNoise", 0) * sigma[0]
    guesses = []
    for i in range(len(t) - 1):
        guesses.append(denoise(x / alpha[i], t[i]))
        if t[i + 1] == 0:
            return guesses[-1]
        logsnr = np.log(alpha[max(i - 1, 0):i + 2] / sigma[max(i - 1, 0):i + 2])
        h = logsnr[-1] - logsnr[-2]
        guess = guesses[-1]
        if i > 0:
            r = (logsnr[-2] - logsnr[-3]) / h
            guess = (1 + 1 / (2 * r)) * guesses[-1] - 1 / (2 * r) * guesses[-2]
        x = sigma[i + 1] / sigma[i] * x - alpha[i + 1] * np.expm1(-h) * guess
    return x


def main():
    philox.check()
    torch.set_num_threads(1)
    embedding = reference.positional_embedding
    reference.positional_embedding = lambda *a, **k: embedding(*a, **k).double()
    t, denoise = levels(6), Denoiser()
    churn = dict(churn=1.5, least=0.05, most=50.0, noise=1.003)
    samples = {
        "heun": edm(denoise, t),
        "heun churn": edm(denoise, t, **churn),
        "heun guided": edm(Denoiser(1.7, (0.1, 20.0)), t),
        "euler": edm(denoise, t, corrects=False),
        "ddpm": ddpm(denoise, t),
        "ddim 0": ddim(denoise, t, 0.0),
        "ddim 0.5": ddim(denoise, t, 0.5),
        "dpm++": dpm_solver(denoise, t),
    }
    settings = dict(seeds=SEEDS, labels=LABELS, steps=len(t) - 1, weights=WEIGHTS)
    names = [[name, list(p.shape)] for name, p in denoise.net.named_parameters()]
    with open(sys.argv[1], "w") as file:
        lines = [f'  "{key}": {json.dumps(value)}' for key, value in settings.items()]
        lines.append(f'  "parameters": {json.dumps(names)}')
        rows = [f'    "{name}": [{", ".join(f"{v:.7g}" for v in x.reshape(-1))}]'
                for name, x in samples.items()]
        lines.append('  "samples": {\n' + ",\n".join(rows) + "\n  }")
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    for name, x in samples.items():
        print(f"{name:12} {x.min():8.4f} ... {x.max():7.4f}  mean {x.mean():8.5f}")


if __name__ == "__main__":
    main()
