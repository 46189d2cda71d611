#!/usr/bin/env python3
"""Turns the public weights of FID-Inception into the safetensors file that `diffit` reads.

usage: convert-inception.py pt_inception-2015-12-05-6726825d.pth inception.safetensors

The .pth is the one that pytorch-fid publishes (release fid_weights of mseitzer/pytorch-fid on GitHub) and
torch-fidelity under the name weights-inception-2015-12-05-6726825d.pth: the TensorFlow graph of
2015-12-05 as a PyTorch state dict of 472 tensors. Fetch it once on a machine with network access, convert
it, and name the result in the settings; it is 95 MB. Needs a python with torch, and numpy or safetensors.

The file holds the 472 tensors as they are, F32, sorted by name, so that everyone's file has the same
bytes. The checksum that is printed is its XXH3-128 where python has xxhash (`xxh128sum` prints the same);
it is what results are recorded with. The SHA-256 of both files is printed too; that of the .pth begins
with the 6726825d of its name.
"""
import argparse
import hashlib
import json
import sys

BRANCHES = {  # outputs, inputs (None: the block's), window
    "A": [("branch1x1", 64, None, 1, 1), ("branch5x5_1", 48, None, 1, 1),
          ("branch5x5_2", 64, 48, 5, 5), ("branch3x3dbl_1", 64, None, 1, 1),
          ("branch3x3dbl_2", 96, 64, 3, 3), ("branch3x3dbl_3", 96, 96, 3, 3),
          ("branch_pool", "p", None, 1, 1)],
    "B": [("branch3x3", 384, None, 3, 3), ("branch3x3dbl_1", 64, None, 1, 1),
          ("branch3x3dbl_2", 96, 64, 3, 3), ("branch3x3dbl_3", 96, 96, 3, 3)],
    "C": [("branch1x1", 192, None, 1, 1), ("branch7x7_1", "p", None, 1, 1),
          ("branch7x7_2", "p", "p", 1, 7), ("branch7x7_3", 192, "p", 7, 1),
          ("branch7x7dbl_1", "p", None, 1, 1), ("branch7x7dbl_2", "p", "p", 7, 1),
          ("branch7x7dbl_3", "p", "p", 1, 7), ("branch7x7dbl_4", "p", "p", 7, 1),
          ("branch7x7dbl_5", 192, "p", 1, 7), ("branch_pool", 192, None, 1, 1)],
    "D": [("branch3x3_1", 192, None, 1, 1), ("branch3x3_2", 320, 192, 3, 3),
          ("branch7x7x3_1", 192, None, 1, 1), ("branch7x7x3_2", 192, 192, 1, 7),
          ("branch7x7x3_3", 192, 192, 7, 1), ("branch7x7x3_4", 192, 192, 3, 3)],
    "E": [("branch1x1", 320, None, 1, 1), ("branch3x3_1", 384, None, 1, 1),
          ("branch3x3_2a", 384, 384, 1, 3), ("branch3x3_2b", 384, 384, 3, 1),
          ("branch3x3dbl_1", 448, None, 1, 1), ("branch3x3dbl_2", 384, 448, 3, 3),
          ("branch3x3dbl_3a", 384, 384, 1, 3), ("branch3x3dbl_3b", 384, 384, 3, 1),
          ("branch_pool", 192, None, 1, 1)],
}
BLOCKS = [  # name, kind, inputs, the width that differs between blocks of a kind
    ("Mixed_5b", "A", 192, 32), ("Mixed_5c", "A", 256, 64), ("Mixed_5d", "A", 288, 64),
    ("Mixed_6a", "B", 288, None), ("Mixed_6b", "C", 768, 128), ("Mixed_6c", "C", 768, 160),
    ("Mixed_6d", "C", 768, 160), ("Mixed_6e", "C", 768, 192), ("Mixed_7a", "D", 768, None),
    ("Mixed_7b", "E", 1280, None), ("Mixed_7c", "E", 2048, None),
]


def tensors():
    """Name -> shape of all 472."""
    layers = [("Conv2d_1a_3x3", 32, 3, 3, 3), ("Conv2d_2a_3x3", 32, 32, 3, 3),
              ("Conv2d_2b_3x3", 64, 32, 3, 3), ("Conv2d_3b_1x1", 80, 64, 1, 1),
              ("Conv2d_4a_3x3", 192, 80, 3, 3)]
    for block, kind, width, special in BLOCKS:
        for name, outputs, inputs, height, across in BRANCHES[kind]:
            inputs = width if inputs is None else special if inputs == "p" else inputs
            outputs = special if outputs == "p" else outputs
            layers.append((f"{block}.{name}", outputs, inputs, height, across))
    shapes = {}
    for name, outputs, inputs, height, across in layers:
        shapes[f"{name}.conv.weight"] = (outputs, inputs, height, across)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = (outputs,)
    return shapes | {"fc.weight": (1008, 2048), "fc.bias": (1008,)}


def fail(message):
    print(f"convert-inception.py: {message}", file=sys.stderr)
    sys.exit(1)


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
    return {name: tensor for name, tensor in state.items()
            if not name.endswith(".num_batches_tracked")}


def check(state, path):
    """The tensors as little-endian f32 arrays, or one line that says what is wrong."""
    import numpy

    expected = tensors()
    advice = "; expected the 472 tensors of pt_inception-2015-12-05-6726825d.pth"
    for name in sorted(set(expected) - set(state)):
        fail(f"{path}: no tensor {name}{advice}")
    for name in sorted(set(state) - set(expected)):
        fail(f"{path}: tensor {name} is not one of FID-Inception's{advice}")
    arrays = {}
    for name in sorted(expected):
        tensor = state[name]
        if str(tensor.dtype) != "torch.float32":
            fail(f"{path}: tensor {name} is {tensor.dtype}, expected torch.float32{advice}")
        if tuple(tensor.shape) != expected[name]:
            fail(f"{path}: tensor {name} has shape {tuple(tensor.shape)}, expected "
                 f"{expected[name]}{advice}")
        arrays[name] = numpy.ascontiguousarray(tensor.numpy(), dtype="<f4")
        if not numpy.isfinite(arrays[name]).all():
            fail(f"{path}: tensor {name} holds numbers that are not finite; download it again")
    return arrays


def encode(arrays):
    """A safetensors file: header length, JSON header, data."""
    header, end = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(a.tobytes() for a in arrays.values())])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="the public .pth")
    parser.add_argument("output", help="the .safetensors to write")
    arguments = parser.parse_args()
    arrays = check(load(arguments.weights), arguments.weights)
    data = encode(arrays)
    try:
        with open(arguments.output, "wb") as file:
            file.write(data)
    except OSError as error:
        fail(f"{arguments.output}: cannot be written: {error.strerror}; choose another place")
    with open(arguments.weights, "rb") as file:
        print("sha256 ", hashlib.sha256(file.read()).hexdigest(), arguments.weights)
    print("sha256 ", hashlib.sha256(data).hexdigest(), arguments.output)
    try:
        import xxhash
        print("xxh128 ", xxhash.xxh3_128_hexdigest(data), arguments.output)
    except ImportError:
        print(f"xxh128  run `xxh128sum {arguments.output}`: this python has no xxhash")
    print(f"{len(arrays)} tensors, {sum(a.size for a in arrays.values()):,} numbers")


if __name__ == "__main__":
    main()
