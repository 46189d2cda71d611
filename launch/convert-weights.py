#!/usr/bin/env python3
"""Turns a PyTorch file of weights into the safetensors file that `diffit train --init` reads.

usage: convert-weights.py [--take ema|model|...] model.pt model.safetensors

The .pt is a dictionary of names and tensors, or a dictionary of such dictionaries, as training scripts save them:
{"model": ..., "ema": ..., "opt": ...}. Of the latter the average "ema" is taken, else "model", else "state_dict";
--take names another. A prefix "module.", which data-parallel wrappers leave, is removed. Names, shapes, buffers and
element types stay as they are; `diffit` maps the names that DiffiT's authors gave and checks the buffers. Only tensors
are unpickled (weights_only). Needs a python with torch, and numpy.
"""
import argparse
import hashlib
import json
import sys

TYPES = {
    "torch.float64": ("F64", "<f8"), "torch.float32": ("F32", "<f4"), "torch.float16": ("F16", "<f2"),
    "torch.bfloat16": ("F32", "<f4"), "torch.int64": ("I64", "<i8"), "torch.int32": ("I32", "<i4"),
}
STANDARD = ("ema", "model", "state_dict")


def fail(message):
    print(f"convert-weights.py: {message}", file=sys.stderr)
    sys.exit(1)


def load(path):
    try:
        import torch
    except ImportError:
        fail("this python has no torch; install it, or name a python that has it")
    try:
        return torch.load(path, map_location="cpu", weights_only=True), torch
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}; check the path")
    except Exception as error:  # torch has no common type for what a damaged file raises
        fail(f"{path}: not a file of weights alone ({type(error).__name__}); save a state dict, or download it again")


def state_dict(path, take):
    """Names and tensors of the part that was asked for."""
    state, torch = load(path)
    if not isinstance(state, dict) or not state:
        fail(f"{path}: holds {type(state).__name__}, expected a dictionary of names and tensors")

    def is_state(part):
        return isinstance(part, dict) and len(part) > 0 and all(torch.is_tensor(t) for t in part.values())

    parts = [name for name, part in state.items() if is_state(part)]
    if take is None and not parts and is_state(state):
        return state
    chosen = take or next((name for name in STANDARD if name in parts), None)
    if chosen not in parts:
        found = ", ".join(map(str, parts)) or "none"
        fail(f"{path}: no weights under {chosen or ' or '.join(STANDARD)}; found: {found}; choose with --take")
    print(f"taking {chosen} of {', '.join(map(str, state))}")
    return state[chosen]


def arrays(path, state):
    """Name -> safetensors type and little-endian array, by name."""
    import numpy

    found = {}
    for name, tensor in state.items():
        name, kind = str(name).removeprefix("module."), str(tensor.dtype)
        if kind not in TYPES:
            fail(f"{path}: tensor {name} is {kind}; expected one of {', '.join(TYPES)}")
        if name in found:
            fail(f"{path}: tensor {name} is there twice, with and without \"module.\"")
        label, code = TYPES[kind]
        tensor = tensor.detach().float() if kind == "torch.bfloat16" else tensor.detach()
        array = numpy.ascontiguousarray(tensor.contiguous().numpy(), dtype=code).reshape(tuple(tensor.shape))
        if label[0] == "F" and not numpy.isfinite(array).all():
            fail(f"{path}: tensor {name} holds numbers that are not finite; download it again")
        found[name] = (label, array)
    return dict(sorted(found.items()))


def write(path, found):
    """A safetensors file: header length, JSON header, data."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, (label, array) in found.items():
        header[name] = {"dtype": label, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    try:
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for _, array in found.values():
                file.write(array.tobytes())
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror}; choose another place")


def digest(path):
    hashed = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 24):
            hashed.update(block)
    return hashed.hexdigest()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", metavar="NAME", help="the part of a dictionary of dictionaries to take")
    parser.add_argument("weights", help="the .pt file")
    parser.add_argument("output", help="the .safetensors to write")
    arguments = parser.parse_args()
    found = arrays(arguments.weights, state_dict(arguments.weights, arguments.take))
    write(arguments.output, found)
    for path in (arguments.weights, arguments.output):
        print("sha256 ", digest(path), path)
    print(f"{len(found)} tensors, {sum(array.size for _, array in found.values()):,} numbers")


if __name__ == "__main__":
    main()
