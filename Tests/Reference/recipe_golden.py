#!/usr/bin/env python3
"""Computes what recipes add to training from their papers' equations, in f64.

usage: recipe_golden.py OUT.json        (needs numpy)

  muon         weights after three updates (Jordan et al., 2024; arXiv:2502.16982 for the scale)
  uncertainty  u, the share of the loss and its gradients (arXiv:2312.02696, its training code)
  averages     power-function averages of a walk, tracked, and rebuilt from snapshots of two others
               (arXiv:2312.02696, algorithm 3 and its code)

Inputs are made by `walk`, a linear congruential generator, which the Swift tests repeat.
"""
import json
import sys

import numpy as np

from philox import RandomStream


def walk(count, seed):
    """Numbers in [-1, 1), rounded to f32."""
    state, values = seed, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % (1 << 31)
        values.append(state / (1 << 30) - 1)
    return np.array(values, np.float32).astype(np.float64)


def orthogonalized(g):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (np.linalg.norm(g) + 1e-7)
    wide = x.T if x.shape[0] > x.shape[1] else x
    for _ in range(5):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if x.shape[0] > x.shape[1] else wide


def muon():
    """[out, in] matrices; in memory a tensor is [in, parts * out]."""
    rate, decay, factor = 0.02, 0.1, 0.5
    tensors = []
    for index, (rows, parts, columns) in enumerate([(24, 1, 16), (36, 1, 8), (12, 3, 12), (8, 1, 32)]):
        count = rows * parts * columns
        weights = walk(count, 100 + index).reshape(rows, parts, columns)
        momentum = np.zeros_like(weights)
        for step in range(3):
            g = factor * walk(count, 1000 + 10 * index + step).reshape(weights.shape)
            momentum += (1 - 0.95) * (g - momentum)
            update = g + 0.95 * (momentum - g)
            for part in range(parts):
                matrix = update[:, part].T
                scale = 0.2 * max(matrix.shape) ** 0.5
                weights[:, part] *= 1 - rate * decay
                weights[:, part] -= rate * scale * orthogonalized(matrix).T
        tensors.append(dict(rows=rows, parts=parts, columns=columns, weights=weights.ravel().tolist()))
    return dict(rate=rate, decay=decay, factor=factor, tensors=tensors)


def uncertainty():
    sigma, losses, batch = [0.002, 0.05, 0.4, 1.0, 80.0], [0.9, 0.3, 0.2, 0.45, 1.1], 7
    stream = RandomStream(0, "fourier", 0)
    frequencies, phases = stream.normals(128), stream.uniforms(256)[128:]
    weight, bias = 0.1 * walk(128, 7), 0.3
    x = np.log(sigma)[:, None] / 4
    features = np.sqrt(2) * np.cos(2 * np.pi * (x * frequencies + phases))
    u = features @ weight + bias
    slope = (1 - np.array(losses) / np.exp(u)) / batch
    return dict(
        sigma=sigma, losses=losses, batch=batch, bias=bias, u=u.tolist(),
        share=float(np.sum(np.array(losses) / np.exp(u) + u) / batch),
        weight_gradient=(features.T @ slope).tolist(), bias_gradient=float(slope.sum()))


def gamma_of(length):
    """EDM2's std_to_exp."""
    s = float(length) ** -2
    return np.roots([1, 7, 16 - s, 12 - s]).real.max()


def dot(t_a, gamma_a, t_b, gamma_b):
    ratio = t_a / t_b
    power = np.where(t_a < t_b, gamma_b, -gamma_a)
    top = (gamma_a + 1) * (gamma_b + 1) * ratio**power
    return top / ((gamma_a + gamma_b + 1) * np.maximum(t_a, t_b))


def averages():
    lengths, asked, batch, every, steps = [0.05, 0.10], [0.04, 0.07, 0.10, 0.15], 10, 100, 1000
    drift = 0.05 * walk(3 * steps, 5).reshape(steps, 3)
    weights = np.cumsum(drift, axis=0) + np.sqrt(np.arange(steps))[:, None]

    def track(length):
        gamma, value, kept = gamma_of(length), np.zeros(3), {}
        for step in range(steps):
            seen = (step + 1) * batch
            beta = (1 - batch / seen) ** (gamma + 1)
            value = beta * value + (1 - beta) * weights[step]
            if seen % (every * batch) == 0:
                kept[seen] = value
        return kept

    tracked = {length: track(length) for length in lengths + asked}
    places = [(seen, length) for length in lengths for seen in tracked[length]]
    t = np.array([seen for seen, _ in places], float)
    gammas = np.array([gamma_of(length) for _, length in places])
    matrix = dot(t[:, None], gammas[:, None], t[None], gammas[None])
    rows = []
    for length in asked:
        right = dot(t[:, None], gammas[:, None], float(steps * batch), gamma_of(length))
        solution = np.linalg.solve(matrix, right)[:, 0]
        solution /= solution.sum()
        value = sum(
            factor * tracked[kept][seen]
            for factor, (seen, kept) in zip(solution, places, strict=True))
        rows.append(dict(
            length=length, gamma=gamma_of(length), tracked=tracked[length][steps * batch].tolist(),
            rebuilt=value.tolist()))
    return dict(batch=batch, every=every * batch, steps=steps, lengths=lengths, rows=rows)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


if __name__ == "__main__":
    result = dict(muon=muon(), uncertainty=uncertainty(), averages=averages())
    with open(sys.argv[1], "w") as file:
        json.dump(rounded(result), file)
        file.write("\n")
