#!/usr/bin/env python3
"""Holds our FID-Inception against torch-fidelity's, tap by tap, and times both.

usage: compare_features.py --probe .build/release/FeaturesProbe --cifar cifar-10-batches-bin \\
           --photographs FOLDER_OR_TAR [--images 64] [--timed 1000] [--threads 2]

The weights are seeded random numbers in the layout of the public file (see Tests/Reference/inception), so
that nothing is downloaded. `tf1` is torch-fidelity's extractor as it is; for `clean` the images are resized
by Pillow, for `pytorch-fid` by torch, and torch-fidelity's layers run on the result. For each protocol and
tap it prints the largest difference over the tap's largest value, and beside it the distances of both from
torch-fidelity in f64: what rounding alone does. Times are those of the clock and of all threads together,
which other programs disturb less. Needs torch, torch-fidelity, numpy, pillow, safetensors.
"""
import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "inception"))
import peer

TAPS = ["64", "192", "768", "2048", "spatial", "logits"]


def cifar(folder, count):
    data = np.fromfile(os.path.join(folder, "test_batch.bin"), np.uint8).reshape(-1, 3073)[:count]
    return np.ascontiguousarray(data[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def photographs(path, count):
    """RGB arrays of JPEG files, of whatever size they are."""
    if os.path.isdir(path):
        names = sorted(os.path.join(root, name) for root, _, files in os.walk(path)
                       for name in files if name.lower().endswith((".jpg", ".jpeg", ".png")))
        return [np.asarray(Image.open(name).convert("RGB")) for name in names[:count]]
    with tarfile.open(path) as tar:
        members = [m for m in tar.getmembers() if m.name.lower().endswith((".jpg", ".jpeg"))]
        return [np.asarray(Image.open(io.BytesIO(tar.extractfile(m).read())).convert("RGB"))
                for m in members[:: max(1, len(members) // count)][:count]]


def ours(arguments, weights, protocol, images, taps, folder):
    """Features by the probe, and the seconds they took: by the clock, and of all threads together."""
    inputs, outputs = os.path.join(folder, "images.safetensors"), os.path.join(folder, "taps.safetensors")
    save_file({f"{i:06d}": np.ascontiguousarray(x if x.ndim == 4 else x[None])
               for i, x in enumerate(images)}, inputs)
    text = subprocess.run(
        [arguments.probe, weights, protocol, inputs, outputs, str(arguments.threads), ",".join(taps)],
        check=True, capture_output=True, text=True).stdout
    return load_file(outputs), [float(word) for word in text.split()]


LIMIT = 1e-4  # of a tap's largest value


def compare(arguments, network, wide, weights, name, images, folder):
    """The largest difference from the peer, relative to each tap's largest value."""
    worst = 0
    for protocol in ["tf1", "clean", "pytorch-fid"]:
        found, _ = ours(arguments, weights, protocol, images, TAPS, folder)
        singles = [image for x in images for image in (x if x.ndim == 4 else x[None])]
        expected = [peer.taps(network, peer.inputs(image, protocol)) for image in singles]
        exact = [peer.taps(wide, peer.inputs(image, protocol).double()) for image in singles]
        for tap in TAPS:
            a, b = (np.stack([row[tap] for row in rows]).astype(np.float64) for rows in (expected, exact))
            largest = np.abs(b).max()
            worst = max(worst, np.abs(found[tap] - a).max() / largest)
            print(f"{name:12s} {protocol:12s} {tap:8s} to peer {np.abs(found[tap] - a).max() / largest:.2e}"
                  f"   to f64 {np.abs(found[tap] - b).max() / largest:.2e}"
                  f"   peer to f64 {np.abs(a - b).max() / largest:.2e}", flush=True)
    return worst


def timed(arguments, network, weights, folder):
    """Features of CIFAR-10 for FID and IS, both programs in turn."""
    images = cifar(arguments.cifar, arguments.timed)
    batch = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    network.features_list = ["2048", "logits_unbiased"]
    for _ in range(2):
        with torch.no_grad():
            network(batch[:8])
            start, ticks = time.perf_counter(), time.process_time()
            for i in range(0, len(batch), arguments.batch):
                network(batch[i:i + arguments.batch])
            clock, cpu = time.perf_counter() - start, time.process_time() - ticks
        _, found = ours(arguments, weights, "tf1", [images], ["2048", "logits"], folder)
        print(f"{len(images)} images, {arguments.threads} threads: torch-fidelity {clock:.1f} s, CPU {cpu:.1f} s "
              f"(batch {arguments.batch}); ours {found[0]:.1f} s, CPU {found[1]:.1f} s; "
              f"ratio {clock / found[0]:.2f}, CPU {cpu / found[1]:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--photographs")
    parser.add_argument("--images", type=int, default=16, help="of each kind, for the comparison")
    parser.add_argument("--timed", type=int, default=1000, help="images; 0: no timing")
    parser.add_argument("--batch", type=int, default=64, help="torch-fidelity's; 64 is its default")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, "weights.safetensors")
        state = peer.random_weights()
        save_file(state, weights)
        network = peer.network(state, folder)
        if arguments.images:
            wide = peer.network(state, folder).double()
            worst = compare(arguments, network, wide, weights, "CIFAR-10",
                            [cifar(arguments.cifar, arguments.images)], folder)
            if arguments.photographs:
                worst = max(worst, compare(arguments, network, wide, weights, "photographs",
                                           photographs(arguments.photographs, arguments.images), folder))
            if not worst < LIMIT:
                sys.exit(f"the largest difference is {worst:.2e}, expected less than {LIMIT}")
        if arguments.timed:
            timed(arguments, network, weights, folder)


if __name__ == "__main__":
    main()
