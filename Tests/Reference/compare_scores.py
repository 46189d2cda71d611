#!/usr/bin/env python3
"""Holds MetricsProbe's scores against torch-fidelity's on seeded random features, and prints differences and times.

usage: compare_scores.py MetricsProbe [--quick]          (needs torch, torch-fidelity 0.4, numpy, scipy, safetensors)
       compare_scores.py --golden FOLDER                 writes the small golden that `swift test` reads

torch-fidelity gets the features twice: as f32, the type it extracts, in which it then averages, multiplies and measures
distances; and as f64, where what is left is the difference of methods. The distances' own rounding is shown by a third
calculation: tr (S1 S2)^1/2 is the nuclear norm of X1 X2^T, centred and scaled, which needs no covariance. sFID is also
held against scipy's sqrtm. Exit code 1 where a limit is exceeded.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.linalg
import torch
from safetensors.numpy import save_file
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric


def features(rng, count, width, shift, scale):
    """Like Inception's: non-negative, correlated, with a spectrum that falls, many entries zero."""
    inner = max(4, width // 8)
    mixing = rng.standard_normal((inner, width)) * (1 + np.arange(inner))[:, None] ** -0.5
    noise = 0.3 * rng.standard_normal((count, width))
    drawn = rng.standard_normal((count, inner)) @ mixing / 2 + noise
    return np.maximum(0, 0.4 + shift + scale * drawn).astype(np.float32)


def pair(seed, width, count, other, scale=1.05):
    """Both sides mix alike, so that they overlap; the reference spreads `scale` times as far."""
    return (features(np.random.default_rng(seed), count, width, 0.0, 1.0),
            features(np.random.default_rng(seed), other + 7, width, 0.02, scale)[7:])


def logits(seed, count, classes):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, classes))
    values[np.arange(count), rng.integers(0, classes, count)] += 6
    return values.astype(np.float32)


def fid(a, b):
    return fid_statistics_to_metric(fid_features_to_statistics(torch.from_numpy(a)),
                                    fid_features_to_statistics(torch.from_numpy(b)),
                                    False)["frechet_inception_distance"]


def nuclear(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    ca, cb = (a - a.mean(0)) / np.sqrt(len(a) - 1), (b - b.mean(0)) / np.sqrt(len(b) - 1)
    if len(ca) > ca.shape[1]:
        ca = np.linalg.qr(ca, mode="r")
    if len(cb) > cb.shape[1]:
        cb = np.linalg.qr(cb, mode="r")
    root = np.linalg.svd(ca @ cb.T, compute_uv=False).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + (ca**2).sum() + (cb**2).sum() - 2 * root


def sqrtm(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.real(scipy.linalg.sqrtm(s1 @ s2))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(root)


def peers(tensors, tap, parts, subsets, subset_size, double):
    """What torch-fidelity says: {name: (value, seconds)}."""
    kind = np.float64 if double else np.float32
    a = tensors[f"samples.{tap}"].astype(kind)
    b = tensors.get(f"reference.{tap}")
    found = {}

    def timed(call, **names):
        start = time.time()
        result = call()
        for name, key in names.items():
            found[name] = (float(result if key is None else result[key]), time.time() - start)

    if tap == "logits":
        timed(lambda: isc_features_to_metric(torch.from_numpy(a), parts),
              is_mean="inception_score_mean", is_std="inception_score_std")
        return found
    b = b.astype(kind)
    names = {"2048": "fid", "64": "fid64", "192": "fid192", "768": "fid768", "spatial": "sfid", "random": "fd_random"}
    timed(lambda: fid(a, b), **{names[tap]: None})
    if tap == "2048":
        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        timed(lambda: kid_features_to_metric(ta, tb, kid_subsets=subsets, kid_subset_size=subset_size, verbose=False),
              kid_mean="kernel_inception_distance_mean", kid_std="kernel_inception_distance_std")
        timed(lambda: prc_features_to_metric(ta, tb, verbose=False), precision="precision", recall="recall")
    return found


def probe(program, path, parts, subsets, subset_size):
    output = subprocess.run([program, path, f"parts={parts}", f"subsets={subsets}", f"subset_size={subset_size}"],
                            check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


LIMITS = {"is_mean": 1e-3, "is_std": 1e-3, "kid_mean": 1e-6, "kid_std": 1e-6, "precision": 0, "recall": 0}


def compare(program, title, tensors, parts=10, subsets=100, subset_size=1000):
    print(f"\n{title}: " + ", ".join(f"{k} {v.shape[0]} x {v.shape[1]}" for k, v in tensors.items()))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "features.safetensors")
        save_file(tensors, path)
        lines = probe(program, path, parts, subsets, subset_size)
    taps = sorted({k.split(".")[1] for k in tensors})
    single, double = {}, {}
    for tap in taps:
        single |= peers(tensors, tap, parts, subsets, subset_size, False)
        double |= peers(tensors, tap, parts, subsets, subset_size, True)
    good = True
    print(f"  {'':10} {'ours':>20} {'peer, f64':>20} {'relative':>9} {'peer, f32':>20} {'relative':>9}"
          "  seconds: ours (sums + score), peer f32")
    for line in lines:
        seconds = f"{line['seconds_sums']:.2f} + {line['seconds']:.2f}"
        for name, ours in line.items():
            if name not in double:
                continue
            (exact, _), (rounded, took) = double[name], single[name]
            distance = abs(ours - exact) / max(abs(exact), 1e-30)
            limit = LIMITS.get(name, 1e-5)
            # The peer returns means of 0 and 1 that were rounded to f32.
            ok = np.float32(ours) == np.float32(exact) if limit == 0 else distance <= limit
            good &= bool(ok)
            print(f"  {name:10} {ours:20.12g} {exact:20.12g} {distance:9.1e} {rounded:20.12g} "
                  f"{abs(ours - rounded) / max(abs(rounded), 1e-30):9.1e}  {seconds}, {took:.2f}"
                  f"{'' if ok else '   TOO FAR'}")
        tap = {"fid": "2048", "sfid": "spatial"}.get(line["metric"])
        if tap:
            a, b = tensors[f"samples.{tap}"], tensors[f"reference.{tap}"]
            truth = nuclear(a, b)
            print(f"  {'':10} by the nuclear norm {truth:.12g}: ours is off by"
                  f" {abs(line[line['metric']] - truth) / truth:.1e}, "
                  f"the peer by {abs(double[line['metric']][0] - truth) / truth:.1e}")
        if line["metric"] == "sfid":
            start = time.time()
            root = sqrtm(a, b)
            distance = abs(line["sfid"] - root) / root
            good &= distance <= 1e-5
            print(f"  {'':10} by scipy's sqrtm {root:.12g}: {distance:.1e} apart, {time.time() - start:.1f} s")
    return good


def golden(folder):
    parts, subsets, subset_size = 10, 12, 60
    samples, reference = pair(1, 64, 150, 180)
    tensors = {"samples.2048": samples, "reference.2048": reference, "samples.logits": logits(2, 153, 40)}
    # Fewer images than features on either side.
    tensors["samples.spatial"], tensors["reference.spatial"] = pair(3, 64, 40, 50)
    save_file(tensors, os.path.join(folder, "scores.safetensors"))
    expected = {}
    for tap in ("2048", "logits", "spatial"):
        expected |= {k: v[0] for k, v in peers(tensors, tap, parts, subsets, subset_size, True).items()}
    expected["sfid"] = float(nuclear(tensors["samples.spatial"], tensors["reference.spatial"]))
    record = {"parts": parts, "subsets": subsets, "subset_size": subset_size, "expected": expected}
    with open(os.path.join(folder, "scores.json"), "w") as file:
        json.dump(record, file, indent=1)
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--golden")
    arguments = parser.parse_args()
    if arguments.golden:
        golden(arguments.golden)
        sys.exit()

    def both(tap, *sizes):
        samples, reference = pair(*sizes)
        return {f"samples.{tap}": samples, f"reference.{tap}": reference}

    program = arguments.program
    small = both("2048", 10, 64, 300, 250) | {"samples.logits": logits(11, 317, 30)}
    good = compare(program, "small", small, subset_size=100)
    low = both("64", 12, 64, 2500, 3000) | both("192", 13, 192, 2500, 3000) | both("768", 14, 768, 2500, 3000)
    good &= compare(program, "low taps", low)
    good &= compare(program, "fewer images than features", both("2048", 15, 512, 200, 300), subset_size=100)
    if not arguments.quick:
        full = both("2048", 16, 2048, 5000, 5000, 1.12) | {"samples.logits": logits(17, 5000, 1008)}
        good &= compare(program, "full", full)
        good &= compare(program, "spatial", both("spatial", 18, 2023, 5000, 4000))
        good &= compare(program, "1,000 of 2048", both("2048", 19, 2048, 1000, 1200))
    sys.exit(0 if good else 1)
