#!/usr/bin/env python3
"""Loads weights that `diffit export` wrote into the oracle, strictly, and prints what it makes of
fixed inputs.

usage: check_export.py MODEL.safetensors CONFIG.json      (needs torch, numpy, safetensors)
  CONFIG.json   the network's settings (resolution, channels, blocks, ...), by themselves or under
                "model"; what is left out has the oracle's default, but augment_dim follows from the
                file

Every name and shape must match (strict=True): a tensor too many or too few is an error. The inputs
are those of train_golden.py at positions 0...3, at sigma 0.002, 0.1, 1 and 80, drawn by philox.py:
the same on every machine. The last image has no label. Printed: mean, deviation and first pixel of
the denoised images.
"""
import inspect
import json
import os
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from diffit_reference import EDMPrecond, ImageDiffiT
from philox import RandomStream
from train_golden import SETTINGS, sample

SIGMAS = (0.002, 0.1, 1.0, 80.0)


def settings_of(config, tensors):
    """The oracle's arguments from a configuration and the file's tensors."""
    model = dict(config.get("model", config))
    kind = model.pop("kind", "image")
    if kind != "image":
        raise ValueError(f"model.kind is {kind}; this script knows image")
    known = set(inspect.signature(ImageDiffiT).parameters)
    unknown = sorted(set(model) - known)
    if unknown:
        raise ValueError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
    if "augment_dim" not in model and "map_augment.weight" in tensors:
        model["augment_dim"] = tensors["map_augment.weight"].shape[1]
    return model


def load(model_path, config_path):
    tensors = load_file(model_path)
    with open(config_path) as file:
        model = settings_of(json.load(file), tensors)
    net = ImageDiffiT(**model)
    net.load_state_dict(tensors, strict=True)
    return net.eval(), model


def inputs(net, model):
    """Noisy images, sigma, one-hot labels and augmentation labels of positions 0...3."""
    signature = inspect.signature(ImageDiffiT).parameters
    side = model.get("resolution", signature["resolution"].default)
    drawn = [sample(SETTINGS, p, side) for p in range(len(SIGMAS))]
    sigma = torch.tensor(SIGMAS)
    images, _, noise = [np.stack(v) for v in zip(*drawn, strict=True)]
    noisy = torch.from_numpy(images) + torch.from_numpy(noise) * sigma.reshape(-1, 1, 1, 1)
    label = augment = None
    if net.classes:
        label = torch.eye(net.classes)[[p % net.classes for p in range(len(SIGMAS))]]
        label[-1] = 0
    if net.map_augment is not None:
        width = net.map_augment.in_features
        draws = [RandomStream(SETTINGS["seed"], "augmentation", 0, p) for p in range(len(SIGMAS))]
        augment = torch.from_numpy(np.stack([s.normals(width) for s in draws]).astype(np.float32))
    return noisy, sigma, label, augment


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        net, model = load(*sys.argv[1:])
    except (OSError, ValueError, TypeError, AssertionError, RuntimeError, SafetensorError) as error:
        sys.exit(textwrap.shorten(f"check_export.py: {sys.argv[1]}: {error}", 400))
    with torch.no_grad():
        denoised = EDMPrecond(net, SETTINGS["sigma_data"])(*inputs(net, model))
    count = sum(p.numel() for p in net.parameters())
    tensors = len(net.state_dict())
    print(f"{sys.argv[1]}: {count} parameters in {tensors} tensors, every name and shape fits")
    for sigma, image in zip(SIGMAS, denoised, strict=True):
        pixel = " ".join(f"{v: .7f}" for v in image[:, 0, 0].tolist())
        moments = f"mean {image.mean(): .7f} deviation {image.std(): .7f}"
        print(f"sigma {sigma:<6} {moments} pixel 0,0 {pixel}")
    if not torch.isfinite(denoised).all():
        sys.exit("check_export.py: the outputs are not finite")


if __name__ == "__main__":
    main()
