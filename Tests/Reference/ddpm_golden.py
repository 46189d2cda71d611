#!/usr/bin/env python3
"""Computes DDPM's tables, losses, samples and guidance weights from the papers' equations.

usage: ddpm_golden.py OUT.json        (needs torch, numpy)

Ho et al. (arXiv:2006.11239), Nichol and Dhariwal (arXiv:2102.09672), Song et al. (arXiv:2010.02502);
all in x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise and in f64. A respaced chain is one of its own, with
betas made from the alpha-bars that are kept. The trainer's samplers work in x_t / sqrt(abar), on noise
levels, and know no betas: two derivations have to agree. PyTorch is there for gradients alone.

  tables    of whole short chains, and of chosen timesteps of long ones
  respaced  timesteps that are kept
  losses    of six images, and their gradients; numbers that go in are f32
  samples   of `network`, which is linear; noise as in sampler_golden.py, with substream = step
  guidance  weights of the power-cosine schedule
  history   probabilities of timesteps by importance, after some losses
"""
import json
import math
import sys

import numpy as np
import torch

import philox
from philox import RandomStream

SHAPE = (2, 2, 2)  # H, W, C
SEEDS = [5, 1 << 34]


def linear(steps):
    return np.linspace(1e-4, 0.02, steps)


def cosine(steps):
    def kept(i):
        return math.cos((i / steps + 0.008) / 1.008 * math.pi / 2) ** 2

    return np.array([min(1 - kept(i + 1) / kept(i), 0.999) for i in range(steps)])


SCHEDULES = {"linear": linear, "cosine": cosine}


class Chain:
    """Everything that follows from betas."""

    def __init__(self, betas):
        self.betas = betas
        self.alphas = 1 - betas
        self.abar = np.cumprod(self.alphas)
        self.before = np.append(1.0, self.abar[:-1])
        self.variance = betas * (1 - self.before) / (1 - self.abar)
        self.log_variance = np.log(np.append(self.variance[1], self.variance[1:]))
        self.mean_clean = betas * np.sqrt(self.before) / (1 - self.abar)
        self.mean_noisy = (1 - self.before) * np.sqrt(self.alphas) / (1 - self.abar)

    def rows(self, at):
        tables = dict(
            betas=self.betas, alphasCumulative=self.abar, posteriorVariance=self.variance,
            posteriorLogVarianceClipped=self.log_variance, posteriorMeanClean=self.mean_clean,
            posteriorMeanNoisy=self.mean_noisy, sigmas=np.sqrt(1 / self.abar - 1))
        return {name: table[at].tolist() for name, table in tables.items()}


def respaced(steps, count):
    """Section 4: K timesteps evenly spaced between 1 and T, rounded."""
    stride = (steps - 1) / (count - 1)
    kept, position = [], 0.0
    for _ in range(count):
        kept.append(round(position))
        position += stride
    return kept


def tables():
    result = []
    for name, schedule in SCHEDULES.items():
        for steps in [2, 40, 500, 1000]:
            at = list(range(steps)) if steps <= 40 else sorted(
                {0, 1, 2, 17, steps // 4, steps // 2, steps - 100, steps - 2, steps - 1})
            rows = Chain(schedule(steps)).rows(at)
            result.append(dict(schedule=name, steps=steps, at=at, rows=rows))
    return result


# Losses


def bound(chain, x0, noise, t, raw):
    """The term of the variational bound at t in bits an element, with the mean held fixed."""
    predicted, v = raw[..., :2].detach(), raw[..., 2:]
    abar = chain.abar[t]
    xt = math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise
    true_mean = chain.mean_clean[t] * x0 + chain.mean_noisy[t] * xt
    guess = (xt - math.sqrt(1 - abar) * predicted) / math.sqrt(abar)
    mean = chain.mean_clean[t] * guess + chain.mean_noisy[t] * xt
    f = (v + 1) / 2
    log_variance = f * math.log(chain.betas[t]) + (1 - f) * chain.log_variance[t]
    if t > 0:
        true = chain.log_variance[t]
        nats = 0.5 * (log_variance - true - 1 + torch.exp(true - log_variance)
                      + (true_mean - mean) ** 2 * torch.exp(-log_variance))
        return nats / math.log(2)

    def below(z):
        return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))

    inverse = torch.exp(-log_variance / 2)
    upper = below(inverse * (x0 - mean + 1 / 255))
    lower = below(inverse * (x0 - mean - 1 / 255))
    mass = torch.where(x0 < -0.999, upper, torch.where(x0 > 0.999, 1 - lower, upper - lower))
    return -torch.log(mass.clamp(min=1e-12)) / math.log(2)


def losses():
    chain = Chain(linear(1000))
    draw = np.random.default_rng(7)
    timesteps = [0, 0, 1, 40, 500, 999]
    weights = [1.0, 0.5, 1.0, 2.0, 1.25, 0.75]
    shape = (len(timesteps), *SHAPE)
    clean = draw.uniform(-0.95, 0.95, shape)
    clean[0, 0, 0] = [-1, 1]
    clean[0, 1, 1] = [1, -1]
    noise = draw.normal(size=shape)
    off = draw.normal(size=shape) * 0.6
    off[1, 0, 0, 0] = 12  # so far off that the likelihood is cut
    off[3, 0, 0] = [1.7, -2.5]  # the linear part of smooth L1
    raw = np.concatenate([noise + off, draw.uniform(-1.6, 1.6, shape)], axis=-1)
    clean, noise, raw = (torch.tensor(x.astype(np.float32).astype(float)) for x in
                         [clean, noise, raw])
    result = dict(timesteps=timesteps, weights=weights, batch=8, clean=flat(clean),
                  noise=flat(noise), raw=flat(raw), noisy=[], kinds={})
    for t, x, n in zip(timesteps, clean, noise, strict=True):
        result["noisy"] += flat(math.sqrt(chain.abar[t]) * x + math.sqrt(1 - chain.abar[t]) * n)
    for kind in ["mse", "smooth_l1", "hybrid"]:
        raw.requires_grad_(True)
        raw.grad = None
        terms = []
        for i, t in enumerate(timesteps):
            d = raw[i, ..., :2] - noise[i]
            if kind == "smooth_l1":
                term = torch.nn.functional.smooth_l1_loss(raw[i, ..., :2], noise[i])
            else:
                term = (d**2).mean()
            if kind == "hybrid":
                term = term + bound(chain, clean[i], noise[i], t, raw[i]).mean()
            terms.append(term)
        share = sum(w * term for w, term in zip(weights, terms, strict=True)) / 8
        share.backward()
        result["kinds"][kind] = dict(
            terms=[term.item() for term in terms], share=share.item(), gradient=flat(raw.grad))
    return result


def flat(x):
    return x.detach().reshape(-1).tolist()


# Samples


def network(x, abar):
    """x_t [B, H, W, C] -> noise and v: linear, near to what suits data N(0, 1/4)."""
    turned = np.roll(x, 1, axis=-1)
    noise = math.sqrt(1 - abar) / (0.25 * abar + 1 - abar) * x
    noise = noise + math.sqrt(abar) * (0.2 * turned + 0.1)
    return noise, 0.8 * turned - 0.3


def normals(purpose, substream):
    count = int(np.prod(SHAPE))
    images = [RandomStream(0, purpose, substream, seed).normals(count) for seed in SEEDS]
    return np.stack(images).reshape(-1, *SHAPE)


class Respaced(Chain):
    """The chain of some timesteps of another, and its sampling loops."""

    def __init__(self, chain, kept):
        abar = chain.abar[kept]
        super().__init__(1 - abar / np.append(1.0, abar[:-1]))

    def start(self):
        return normals("samplerNoise", 0)

    def guess(self, x, noise, i, clips):
        clean = (x - math.sqrt(1 - self.abar[i]) * noise) / math.sqrt(self.abar[i])
        return np.clip(clean, -1, 1) if clips else clean

    def ancestral(self, kind, clips=False):
        x = self.start()
        for i in reversed(range(len(self.betas))):
            noise, v = network(x, self.abar[i])
            clean = self.guess(x, noise, i, clips)
            mean = self.mean_clean[i] * clean + self.mean_noisy[i] * x
            f = dict(learned=(v + 1) / 2, posterior=0 * v, upper=0 * v + 1)[kind]
            log_variance = f * math.log(self.betas[i]) + (1 - f) * self.log_variance[i]
            x = mean
            if i > 0:
                step = len(self.betas) - 1 - i
                x = mean + np.exp(log_variance / 2) * normals("samplerChurn", step)
        return x

    def implicit(self, eta, clips=False):
        x = self.start()
        for i in reversed(range(len(self.betas))):
            a, b = self.abar[i], self.before[i]
            clean = self.guess(x, network(x, a)[0], i, clips)
            noise = (x - math.sqrt(a) * clean) / math.sqrt(1 - a)
            deviation = eta * math.sqrt((1 - b) / (1 - a) * (1 - a / b))
            x = math.sqrt(b) * clean + math.sqrt(max(1 - b - deviation**2, 0)) * noise
            if i > 0 and eta > 0:
                x = x + deviation * normals("samplerChurn", len(self.betas) - 1 - i)
        return x


def samples():
    result = []
    for name, steps, count in [("linear", 1000, 10), ("linear", 1000, 250), ("linear", 500, 25),
                               ("cosine", 1000, 12), ("cosine", 40, 40)]:
        chain = Respaced(Chain(SCHEDULES[name](steps)), respaced(steps, count))
        images = {kind: chain.ancestral(kind) for kind in ["learned", "posterior", "upper"]}
        images["learned clipped"] = chain.ancestral("learned", True)
        for eta in [0.0, 0.5, 1.0]:
            images[f"ddim {eta}"] = chain.implicit(eta)
        images["ddim 0.5 clipped"] = chain.implicit(0.5, True)
        result.append(dict(schedule=name, steps=steps, count=count,
                           images={name: x.reshape(-1).tolist() for name, x in images.items()}))
    return result


# Guidance and timesteps


def guidance():
    result = []
    for steps, scale, power in [(1000, 4.6, 4), (1000, 4.4, 4), (500, 4.6, 4), (1000, 3.0, 1.5)]:
        at = [0, 1, 33.5, 0.1 * steps, 0.25 * steps, 0.5 * steps, 0.9 * steps, steps - 1, steps]
        thousand = [t * 1000 / steps for t in at]
        weights = [1 + (scale - 1) * (1 - math.cos(math.pi * (1 - t / 1000) ** power)) / 2
                   for t in thousand]
        result.append(dict(steps=steps, scale=scale, power=power, at=at, weights=weights))
    return result


def history():
    """Section 3.3: p_t ~ sqrt(E[L_t^2]) over the last 10 losses, 0.1 % of it uniform."""
    draw = np.random.default_rng(11)
    timesteps = [t for t in range(6) for _ in range(10)] + draw.integers(0, 6, 30).tolist()
    draw.shuffle(timesteps)
    values = draw.gamma(1.5, 0.1, len(timesteps)).astype(np.float32).astype(float).tolist()
    kept = [[loss for t, loss in zip(timesteps, values, strict=True) if t == s][-10:] for s in range(6)]
    moments = np.array([math.sqrt(sum(loss**2 for loss in losses) / 10) for losses in kept])
    p = 0.999 * moments / moments.sum() + 0.001 / 6
    return dict(steps=6, timesteps=timesteps, losses=values, probabilities=p.tolist())


def main():
    philox.check()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    cases = [(1000, 250), (1000, 50), (1000, 7), (500, 100), (500, 3), (40, 40), (10, 2), (11, 5)]
    golden = dict(
        tables=tables(),
        respaced=[dict(steps=s, count=c, timesteps=respaced(s, c)) for s, c in cases],
        losses=losses(), seeds=SEEDS, samples=samples(), guidance=guidance(), history=history())
    with open(sys.argv[1], "w") as file:
        lines = [f'  "{key}": {json.dumps(value)}' for key, value in golden.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    for case in golden["samples"]:
        for name, x in case["images"].items():
            print(f"{case['schedule']} {case['count']} of {case['steps']} {name:18}"
                  f" {min(x):9.4f} ... {max(x):8.4f}")
    for kind, case in golden["losses"]["kinds"].items():
        print(kind, [f"{term:.6g}" for term in case["terms"]])


if __name__ == "__main__":
    main()
