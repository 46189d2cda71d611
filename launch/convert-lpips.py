#!/usr/bin/env python3
"""Joins VGG16 and LPIPS' linear weights into the safetensors file that `diffit` reads for the perceptual loss.

usage: convert-lpips.py vgg16-397923af.pth vgg.pth lpips-vgg.safetensors

The first file is torchvision's VGG16 trained on ImageNet (models/vgg16-397923af.pth of download.pytorch.org); the
second one LPIPS' weights for it, version 0.1 (lpips/weights/v0.1/vgg.pth of richzhang/PerceptualSimilarity on GitHub,
7 kB).
Fetch both once on a machine with network access. Needs a python with torch, and numpy.

The result holds 31 tensors, F32, sorted by name: `features.I.weight` [out, in, 3, 3] and `features.I.bias` [out] of
the 13 convolutions, numbered as in torchvision, and `linS.weight` [width] for the stages S = 0 to 4. The
classifier is left out: 59 MB remain of 528. The SHA-256 of all three files is printed.
"""
import argparse
import hashlib
import json
import sys

WIDTHS, CONVOLUTIONS = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)


def fail(message):
    print(f"convert-lpips.py: {message}", file=sys.stderr)
    sys.exit(1)


def tensors():
    """Name -> shape of those taken from VGG16, and of those taken from LPIPS."""
    features, linear, inputs, index = {}, {}, 3, 0
    for stage, (width, count) in enumerate(zip(WIDTHS, CONVOLUTIONS)):
        for _ in range(count):
            features[f"features.{index}.weight"] = (width, inputs, 3, 3)
            features[f"features.{index}.bias"] = (width,)
            inputs, index = width, index + 2
        index += 1
        linear[f"lin{stage}.model.1.weight"] = (1, width, 1, 1)
    return features, linear


def load(path):
    try:
        import torch
    except ImportError:
        fail("this python has no torch; install it, or name a python that has it")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}; check the path")
    except Exception as error:  # torch has no common type for what a damaged file raises
        fail(f"{path}: not a PyTorch state dict ({type(error).__name__}); download it again")
    if not isinstance(state, dict) or not all(torch.is_tensor(t) for t in state.values()):
        fail(f"{path}: not a state dict: expected names and tensors")
    return state


def take(path, expected):
    """The expected tensors as little-endian f32 arrays, or one line that says what is wrong."""
    import numpy

    state, arrays = load(path), {}
    for name, shape in expected.items():
        if name not in state:
            fail(f"{path}: no tensor {name}; expected {len(expected)} tensors such as {next(iter(expected))}")
        tensor = state[name]
        if str(tensor.dtype) != "torch.float32" or tuple(tensor.shape) != shape:
            fail(f"{path}: tensor {name} is {tensor.dtype} {tuple(tensor.shape)}, expected torch.float32 {shape}")
        arrays[name] = numpy.ascontiguousarray(tensor.numpy(), dtype="<f4")
        if not numpy.isfinite(arrays[name]).all():
            fail(f"{path}: tensor {name} holds numbers that are not finite; download it again")
    return arrays


def encode(arrays):
    """A safetensors file: header length, JSON header, data."""
    header, end = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(a.tobytes() for a in arrays.values())])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vgg", help="torchvision's vgg16 .pth")
    parser.add_argument("linear", help="LPIPS' vgg.pth")
    parser.add_argument("output", help="the .safetensors to write")
    arguments = parser.parse_args()
    features, linear = tensors()
    arrays = take(arguments.vgg, features)
    for name, array in take(arguments.linear, linear).items():
        if (array < 0).any():
            fail(f"{arguments.linear}: tensor {name} has negative weights, which LPIPS does not; download it again")
        arrays[name.replace(".model.1", "")] = array.reshape(-1)
    data = encode(dict(sorted(arrays.items())))
    try:
        with open(arguments.output, "wb") as file:
            file.write(data)
    except OSError as error:
        fail(f"{arguments.output}: cannot be written: {error.strerror}; choose another place")
    for path in (arguments.vgg, arguments.linear, arguments.output):
        with open(path, "rb") as file:
            print("sha256 ", hashlib.sha256(file.read()).hexdigest(), path)
    print(f"{len(arrays)} tensors, {sum(a.size for a in arrays.values()):,} numbers")


if __name__ == "__main__":
    main()
