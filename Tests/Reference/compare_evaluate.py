#!/usr/bin/env python3
"""Holds `diffit evaluate` against torch-fidelity from images to metrics, with seeded random weights.

usage: compare_evaluate.py --diffit .build/release/diffit --cifar cifar-10-batches-bin \\
           --photographs FOLDER_OR_TAR [--images 1000] [--few 100] [--threads 2]

`tf1` is compared on --images CIFAR-10 images a side with all metrics; `clean` and `pytorch-fid`, and
photographs of mixed sizes with all three protocols, on --few images a side, without the kernel distance,
which needs 1,000. torch-fidelity's network computes its features, its functions its metrics; sFID, which it
does not have, is its Frechet distance of spatial features. Where images are fewer than features the covariances
are singular and torch-fidelity's square root of their product is off by up to 1e-4: there ours is held against the
same distance by singular values of the features themselves, without covariances; the peer's is printed beside it.
Exit code 1 where a difference is above its limit. Needs torch, torch-fidelity, numpy, pillow, safetensors.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

import compare_features
from compare_features import peer

LIMITS = {"is_mean": 1e-3, "is_std": 1e-3, "precision": 0, "recall": 0}  # others: 1e-5


def calibrated(folder, images):
    """Random weights whose batch norms have the mean and variance of these images: without that the last
    features hardly differ from image to image, and a Frechet distance is one of rounding errors."""
    network = peer.network(peer.random_weights(), folder)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of all batches
        norm.reset_running_stats()
        norm.train()
    for image in images:
        x = torch.cat([peer.inputs(one, "tf1") for one in image])
        peer.taps(network, x)
    for norm in norms:
        norm.eval()
    return {name: t.numpy() for name, t in network.state_dict().items() if "num_batches" not in name}


def features(network, images, protocol):
    rows = [peer.taps(network, peer.inputs(image, protocol)) for image in images]
    return {tap: np.stack([row[tap] for row in rows]) for tap in compare_features.TAPS}


def frechet(a, b):
    a, b = (fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b))
    return fid_statistics_to_metric(a, b, verbose=False)["frechet_inception_distance"]


def by_singular_values(a, b):
    """The Frechet distance of the rows' Gaussians: tr sqrt(S1 S2) is the nuclear norm of A B^T."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    means = ((a.mean(0) - b.mean(0)) ** 2).sum()
    a, b = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b))
    return means + (a * a).sum() + (b * b).sum() - 2 * np.linalg.svd(a @ b.T, compute_uv=False).sum()


def expected(samples, reference, with_kid):
    """{name: (value to be met, torch-fidelity's)}"""
    found = {}
    for name, tap in [("fid", "2048"), ("fid64", "64"), ("fid192", "192"), ("fid768", "768"), ("sfid", "spatial")]:
        a, b = samples[tap], reference[tap]
        peers = frechet(a, b)
        found[name] = by_singular_values(a, b) if min(len(a), len(b)) <= a.shape[1] else peers, peers
    found |= {name: (value, value) for name, value in others(samples, reference, with_kid).items()}
    return found


def others(samples, reference, with_kid):
    found = {}
    score = isc_features_to_metric(torch.from_numpy(samples["logits"]), 10)
    found["is_mean"], found["is_std"] = score["inception_score_mean"], score["inception_score_std"]
    a, b = (torch.from_numpy(x["2048"]) for x in (samples, reference))
    neighbours = prc_features_to_metric(a, b, verbose=False)
    found["precision"], found["recall"] = neighbours["precision"], neighbours["recall"]
    if with_kid:
        kid = kid_features_to_metric(a.double(), b.double(), verbose=False)
        found["kid_mean"] = kid["kernel_inception_distance_mean"]
        found["kid_std"] = kid["kernel_inception_distance_std"]
    return found


def write(images, folder):
    os.makedirs(folder)
    for i, image in enumerate(images):
        Image.fromarray(image).save(os.path.join(folder, f"{i:05d}.png"))
    return folder


def compare(arguments, network, weights, title, samples, reference, protocol, with_kid, folder):
    metrics = "fid,fid64,fid192,fid768,is,pr,sfid" + (",kid" if with_kid else "")
    place = os.path.join(folder, f"{title}-{protocol}")
    paths = [write(samples, f"{place}-samples"), write(reference, f"{place}-reference")]
    result = subprocess.run(
        [arguments.diffit, "evaluate", paths[0], "--reference", paths[1], "--metrics", metrics, "--features",
         weights, "--protocol", protocol, "--mixed-sizes", "--json", "-"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    ours = json.loads(result)["metrics"]
    both = [features(network, images, protocol) for images in (samples, reference)]
    good = True
    print(f"\n{title}, {len(samples)} against {len(reference)} images, {protocol}")
    print(f"  {'':10} {'ours':>20} {'to be met':>20} {'apart':>9} {'torch-fidelity':>20}")
    values = expected(*both, with_kid)
    for name, (value, peers) in values.items():
        value = float(value)
        if name.startswith("kid"):  # its deviation is relative to the mean: of 1,000 of 1,000 images it is 0
            distance, limit = abs(ours[name] - value) / abs(float(values["kid_mean"][0])), 1e-6
        elif name in ("precision", "recall"):
            distance, limit = abs(np.float32(ours[name]) - np.float32(value)), 0
        else:
            distance, limit = abs(ours[name] - value) / abs(value), LIMITS.get(name, 1e-5)
        ok = distance <= limit
        good &= bool(ok)
        print(f"  {name:10} {ours[name]:20.12g} {value:20.12g} {distance:9.1e} {float(peers):20.12g}"
              f"{'' if ok else '   TOO FAR'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffit", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--photographs", required=True)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    small = compare_features.cifar(arguments.cifar, 2 * max(arguments.images, arguments.few))
    large = compare_features.photographs(arguments.photographs, 2 * arguments.few)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        state = calibrated(folder, [small[:48], large[:16]])
        weights = os.path.join(folder, "weights.safetensors")
        save_file(state, weights)
        network = peer.network(state, folder)
        for protocol in ["tf1", "clean", "pytorch-fid"]:
            n = arguments.images if protocol == "tf1" else arguments.few
            good &= compare(arguments, network, weights, "CIFAR-10", small[:n], small[n:2 * n], protocol,
                            n >= 1000, folder)
            n = arguments.few
            good &= compare(arguments, network, weights, "photographs", large[:n], large[n:2 * n], protocol,
                            False, folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
