"""torch-fidelity's FID-Inception with random weights that Swift makes as well, and the three resizes.

Every number of tensor `t`, counted in the order of the state dict, is a uniform draw of the stream (seed 5,
purpose test, substream t): see `philox.py` one folder up. Scales keep the activations of all 94 layers
between about 0.1 and 50.
"""
import os
import sys
import unittest.mock

import numpy as np
import torch
import torch.nn.functional as F
import torch_fidelity.feature_extractor_inceptionv3 as module
from PIL import Image
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from philox import RandomStream

SIDE = 299
SEED = 5


def shapes():
    """Name -> shape, in the order of the state dict, without the counters of batches."""
    class Unloaded(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_, **__):
            pass

    with unittest.mock.patch.object(module, "load_state_dict_from_url"):
        state = Unloaded("inception", ["2048"]).state_dict()
    return {name: tuple(t.shape) for name, t in state.items() if "num_batches" not in name}


def random_weights():
    """The 472 tensors as f32 arrays."""
    result = {}
    for index, (name, shape) in enumerate(shapes().items()):
        count = int(np.prod(shape))
        u = 2 * RandomStream(SEED, "test", index).uniforms(count) - 1  # (-1, 1)
        if name.endswith("conv.weight") or name == "fc.weight":
            values = u * np.sqrt(6 / (count // shape[0]))
        elif name.endswith("bn.weight") or name.endswith("running_var"):
            values = 1 + 0.5 * u
        else:  # bn.bias, running_mean, fc.bias
            values = 0.2 * u
        result[name] = values.astype(np.float32).reshape(shape)
    return result


def network(state, folder):
    """torch-fidelity's extractor with these weights."""
    path = os.path.join(folder, "weights.pth")
    torch.save({name: torch.from_numpy(array) for name, array in state.items()}, path)
    return FeatureExtractorInceptionV3(
        "inception", ["64", "192", "768", "2048", "logits_unbiased"],
        feature_extractor_weights_path=path)


def inputs(image, protocol):
    """[1, 3, 299, 299] of an image [height, width, 3], as the network's first layer reads it."""
    chw = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    if protocol == "tf1":
        x = interpolate_bilinear_2d_like_tensorflow1x(
            chw.float(), size=(SIDE, SIDE), align_corners=False)
        return (x - 128) / 128
    if protocol == "clean":
        planes = [Image.fromarray(np.ascontiguousarray(image[:, :, c]).astype(np.float32), mode="F")
                  .resize((SIDE, SIDE), resample=Image.BICUBIC) for c in range(3)]
        x = np.stack([np.asarray(plane).clip(0, 255) for plane in planes])[None]
        return (torch.from_numpy(x) - 128) / 128
    x = F.interpolate(chw.float() / 255, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return 2 * x - 1


@torch.no_grad()
def taps(n, x):
    """Every tap of one image: name -> row."""
    def mean(x):
        return F.adaptive_avg_pool2d(x, 1).flatten(1)
    found = {}
    x = n.MaxPool_1(n.Conv2d_2b_3x3(n.Conv2d_2a_3x3(n.Conv2d_1a_3x3(x))))
    found["64"] = mean(x)
    x = n.MaxPool_2(n.Conv2d_4a_3x3(n.Conv2d_3b_1x1(x)))
    found["192"] = mean(x)
    x = n.Mixed_6a(n.Mixed_5d(n.Mixed_5c(n.Mixed_5b(x))))
    x = n.Mixed_6c(n.Mixed_6b(x))
    found["spatial"] = n.Mixed_6d.branch1x1(x)[:, :7].permute(0, 2, 3, 1).flatten(1)
    x = n.Mixed_6e(n.Mixed_6d(x))
    found["768"] = mean(x)
    x = n.AvgPool(n.Mixed_7c(n.Mixed_7b(n.Mixed_7a(x)))).flatten(1)
    found["2048"] = x
    found["logits"] = x.mm(n.fc.weight.T)
    return {name: row[0].numpy() for name, row in found.items()}
