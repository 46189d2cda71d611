"""Writes features.safetensors: what torch-fidelity's network makes of three drawn images, by protocol.

usage: make_golden.py [OUTPUT]     default: features.safetensors beside this file

Weights and images are formulas that the Swift test has as well, so that neither is kept. Needs torch,
torch-fidelity 0.4.0, numpy, pillow and safetensors. The resized inputs of a few rows are kept too.
"""
import os
import sys
import tempfile

import numpy as np
from safetensors.numpy import save_file

import peer

SIZES = [(32, 32), (45, 61), (330, 310)]  # height, width
CASES = [(0, "tf1"), (0, "clean"), (0, "pytorch-fid"), (1, "tf1"), (2, "tf1"), (2, "clean"),
         (2, "pytorch-fid")]
ROWS = [0, 1, 150, 298]
SPATIAL_STEP = 5


def image(height, width):
    """[height, width, 3], integers only: slopes, edges and a little texture."""
    y, x, c = np.mgrid[:height, :width, :3]
    texture = (x * x + 3 * y * y + 7 * x * y) % 31
    return ((x * (c + 2) * 96 // width + y * 120 // height + 40 * c + 2 * texture) % 256).astype(np.uint8)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    output = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "features.safetensors")
    state = peer.random_weights()
    tensors = {"weights.sums": np.array([a.astype(np.float64).sum() for a in state.values()])}
    with tempfile.TemporaryDirectory() as folder:
        network = peer.network(state, folder)
        for index, protocol in CASES:
            x = peer.inputs(image(*SIZES[index]), protocol)
            key = f"{index}.{protocol}"
            tensors[f"{key}.input"] = x[0, :, ROWS].permute(1, 2, 0).contiguous().numpy()[:, ::7]
            for name, row in peer.taps(network, x).items():
                tensors[f"{key}.{name}"] = row[::SPATIAL_STEP] if name == "spatial" else row
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, output,
              metadata={"made_by": "make_golden.py, torch-fidelity 0.4.0"})
    print(output, os.path.getsize(output), "bytes")


if __name__ == "__main__":
    main()
