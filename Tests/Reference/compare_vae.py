#!/usr/bin/env python3
"""Compares the autoencoder and LPIPS at full size with PyTorch, both ways, through the program VAEProbe.

usage: compare_vae.py PROBE FOLDER [RESOLUTION [THREADS]]   (needs torch, numpy, safetensors, diffusers)

PROBE is .build/release/VAEProbe; FOLDER receives some gigabytes of files. The weights are seeded and random.
 1. diffusers writes an f8 network (128,256,512,512); ours reads it, in fp32 and bf16: outputs and every gradient.
 2. The same under older attention names, and tiles of a picture of 1.75 x 2 times the resolution.
 3. Ours writes a network; diffusers loads it without a missing or an unexpected key and decodes what ours decodes.
 4. LPIPS on VGG16: distances and gradient.
"""
import os
import subprocess
import sys
import time

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vae_golden import OLD, contiguous, lpips, lpips_weights, randomize

probe, folder = sys.argv[1], sys.argv[2]
side = int(sys.argv[3]) if len(sys.argv) > 3 else 128
threads = sys.argv[4] if len(sys.argv) > 4 else "2"
os.makedirs(folder, exist_ok=True)
torch.set_num_threads(int(threads))
failures = []


def at(name):
    return os.path.join(folder, name)


def ours(*arguments):
    result = subprocess.run([probe, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stderr)
    print("   ", "; ".join(result.stdout.strip().splitlines()))


def error(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def check(what, value, limit):
    if not value < limit:
        failures.append(what)
    print(f"  {what}: {value:.2e}", "" if value < limit else f"ABOVE {limit}")


def compare(expected, path, limits):
    found = load_file(path)
    for name in ("mean", "logvar", "reconstruction", "tiled.mean", "tiled.decoded"):
        if name in found:
            check(name, error(found[name], expected[name]), limits[0])
    gradients = {k: v for k, v in expected.items() if k.startswith("grad")}
    largest = max(v.abs().max() for v in gradients.values())
    errors = {k: ((found[k] - v).abs().max() / max(v.abs().max(), 1e-2 * largest)).item() for k, v in gradients.items()}
    worst = max(errors, key=errors.get)
    check(f"worst of {len(errors)} gradients, {worst}", errors[worst], limits[1])


def expectation(net, data):
    images = data["images"].clone().requires_grad_()
    net.zero_grad()
    start = time.time()
    distribution = net.encode(images).latent_dist
    reconstruction = net.decode(distribution.mean + distribution.std * data["noise"]).sample
    middle = time.time()
    loss = (data["weight"] * reconstruction).sum() / (1000 * len(images)) + 0.01 * distribution.kl().mean()
    loss.backward()
    print(f"    diffusers: forward {middle - start:.2f} s, backward {time.time() - middle:.2f} s")
    expected = {"mean": distribution.mean, "logvar": distribution.logvar, "reconstruction": reconstruction,
                "grad_images": images.grad} | {"grad." + k: p.grad for k, p in net.named_parameters()}
    if "picture" in data:
        net.enable_tiling()
        with torch.no_grad():
            expected["tiled.mean"] = net.encode(data["picture"]).latent_dist.mean
            expected["tiled.decoded"] = net.decode(expected["tiled.mean"]).sample
        net.disable_tiling()
    return {k: v.detach().clone() for k, v in expected.items()}


torch.manual_seed(1)
net = AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=side,
                    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
randomize(net)
net.save_pretrained(at("theirs"))
data = {"images": torch.rand(2, 3, side, side) * 2 - 1, "noise": torch.randn(2, 4, side // 8, side // 8),
        "weight": torch.randn(2, 3, side, side), "picture": torch.rand(1, 3, side * 7 // 4, side * 2) * 2 - 1}
save_file(contiguous(data), at("input.safetensors"))
print(f"diffusers' f8 network, 2 images of {side} pixels, {sum(p.numel() for p in net.parameters()):,} parameters")
expected = expectation(net, data)
print(" fp32")
ours("run", at("theirs"), at("input.safetensors"), at("out.safetensors"), threads, "fp32")
compare(expected, at("out.safetensors"), (1e-4, 1e-3))
print(" bf16")
ours("run", at("theirs"), at("input.safetensors"), at("out.safetensors"), threads, "bf16")
compare(expected, at("out.safetensors"), (5e-2, 2e-1))

print("older attention names")
path = at("theirs/diffusion_pytorch_model.safetensors")
renamed = {}
for key, value in load_file(path).items():
    for new, old in OLD.items():
        if f".attentions.0.{new}." in key:
            key, value = key.replace(f".{new}.", f".{old}."), value[:, :, None, None] if value.dim() == 2 else value
    renamed[key] = value.contiguous()
save_file(renamed, path)
save_file(contiguous({k: v for k, v in data.items() if k != "picture"}), at("input.safetensors"))
ours("run", at("theirs"), at("input.safetensors"), at("out.safetensors"), threads, "fp32")
compare(expected, at("out.safetensors"), (1e-4, 1e-3))

print("our network in diffusers")
ours("write", at("ours"), "7", "128,256,512,512", "32")
theirs, info = AutoencoderKL.from_pretrained(at("ours"), output_loading_info=True, low_cpu_mem_usage=False)
print("  ", {k: info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")})
failures += [k for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[k]]
expected = expectation(theirs, {k: v for k, v in data.items() if k != "picture"})
ours("run", at("ours"), at("input.safetensors"), at("out.safetensors"), threads, "fp32")
compare(expected, at("out.safetensors"), (1e-4, 1e-3))

print("LPIPS, VGG16 of full width")
torch.manual_seed(2)
weights = lpips_weights()
save_file(contiguous(weights), at("lpips.safetensors"))
x, y = (torch.rand(2, 3, side, side) * 2 - 1).requires_grad_(), torch.rand(2, 3, side, side) * 2 - 1
save_file(contiguous({"x": x, "y": y}), at("input.safetensors"))
distances = lpips(weights, x, y)
distances.sum().backward()
ours("lpips", at("lpips.safetensors"), at("input.safetensors"), at("out.safetensors"), threads)
found = load_file(at("out.safetensors"))
check("distances", error(found["distances"], distances.detach()), 1e-4)
# A ReLU or a pool that decides otherwise for one number next to 0 changes the gradient of a patch by a per cent:
# the whole is compared, and what most elements are.
difference = (found["grad_x"] - x.grad).abs()
check("gradient, root of squares", (difference.norm() / x.grad.norm()).item(), 5e-3)
check("gradient, median", (difference.median() / x.grad.abs().max()).item(), 1e-5)
sys.exit(bool(failures))
