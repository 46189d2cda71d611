#!/usr/bin/env python3
"""Writes the goldens of the autoencoder and of its losses, each with seeded random weights.

usage: vae_golden.py FOLDER   (needs torch, numpy, safetensors, diffusers)

  FOLDER/f2, FOLDER/f4    folders that diffusers' AutoencoderKL wrote, old attention names in f4, and
                          golden.safetensors: images, noise, weight of the loss; mean, log variance, reconstruction,
                          tiled results, loss, and its gradient at the images and at every parameter (grad.NAME)
  FOLDER/discriminator.safetensors   pix2pix' NLayerDiscriminator with group norm: param.NAME, grad.NAME
  FOLDER/lpips.safetensors           LPIPS on a narrow VGG16: weights under the names of convert-lpips.py
  FOLDER/lpips-golden.safetensors    images, distances and gradient
The loss of an autoencoder is sum(weight * reconstruction) / (1000 * batch) + 0.01 * mean KL; z is a draw with the
noise.
"""
import os
import sys

import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def randomize(net):
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() > 1:
                p.copy_(torch.randn_like(p) * (1.5 / p[0].numel()) ** 0.5)
            elif "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.2 * torch.randn_like(p))
            else:
                p.copy_(0.1 * torch.randn_like(p))


def contiguous(tensors):
    return {k: v.detach().float().contiguous() for k, v in tensors.items()}


def autoencoder(out, name, seed, channels, blocks, groups, latents, resolution, height, width, old):
    torch.manual_seed(seed)
    net = AutoencoderKL(
        block_out_channels=channels, layers_per_block=blocks, norm_num_groups=groups, latent_channels=latents,
        down_block_types=("DownEncoderBlock2D",) * len(channels), up_block_types=("UpDecoderBlock2D",) * len(channels),
        sample_size=resolution, scaling_factor=0.5 if old else 0.18215)
    randomize(net)
    folder = os.path.join(out, name)
    net.save_pretrained(folder)
    path = os.path.join(folder, "diffusion_pytorch_model.safetensors")
    if old:  # as files written before 2023 have them
        renamed = {}
        for key, value in load_file(path).items():
            for new, was in OLD.items():
                if f".attentions.0.{new}." in key:
                    key = key.replace(f".{new}.", f".{was}.")
                    value = value[:, :, None, None] if value.dim() == 2 else value
            renamed[key] = value.contiguous()
        save_file(renamed, path, {"format": "pt"})
    images = (torch.rand(2, 3, height, width) * 2 - 1).requires_grad_()
    distribution = net.encode(images).latent_dist
    noise = torch.randn_like(distribution.mean)
    z = distribution.mean + distribution.std * noise
    reconstruction = net.decode(z).sample
    weight = torch.randn_like(reconstruction)
    loss = (weight * reconstruction).sum() / 2000 + 0.01 * distribution.kl().mean()
    loss.backward()
    data = {"images": images, "noise": noise, "weight": weight, "mean": distribution.mean,
            "logvar": distribution.logvar, "reconstruction": reconstruction, "loss": loss.reshape(1),
            "grad_images": images.grad}
    data |= {"grad." + k: p.grad for k, p in net.named_parameters()}
    net.enable_tiling()
    with torch.no_grad():
        picture = torch.rand(1, 3, 7 * resolution // 4, 2 * resolution) * 2 - 1
        moments = DiagonalGaussianDistribution(net._encode(picture))
        data |= {"picture": picture, "tiled.mean": moments.mean, "tiled.logvar": moments.logvar,
                 "tiled.decoded": net.decode(moments.mean).sample}
    save_file(contiguous(data), os.path.join(folder, "golden.safetensors"))
    print(name, sum(p.numel() for p in net.parameters()), "parameters, loss", loss.item())


class Discriminator(nn.Module):
    def __init__(self, width, layers=3):
        super().__init__()
        parts, inputs = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
        for index in range(1, layers + 1):
            outputs = width * min(2 ** index, 8)
            groups = max(g for g in range(1, max(2, min(32, outputs // 4) + 1)) if outputs % g == 0)
            parts += [nn.Conv2d(inputs, outputs, 4, 2 if index < layers else 1, 1, bias=False),
                      nn.GroupNorm(groups, outputs, eps=1e-6), nn.LeakyReLU(0.2)]
            inputs = outputs
        self.main = nn.Sequential(*parts, nn.Conv2d(inputs, 1, 4, 1, 1))

    def forward(self, x):
        return self.main(x)


def discriminator(out):
    torch.manual_seed(3)
    net = Discriminator(2)
    with torch.no_grad():
        for p in net.parameters():
            if p.dim() == 1:
                p.add_(0.2 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) * (2 / p[0].numel()) ** 0.5)
    real, fake = torch.rand(2, 3, 32, 24) * 2 - 1, (torch.rand(2, 3, 32, 24) * 2 - 1).requires_grad_()
    logits_real, logits_fake = net(real), net(fake)
    loss = 0.5 * (F.relu(1 - logits_real).mean() + F.relu(1 + logits_fake).mean())
    loss.backward()
    data = {"param." + k: p for k, p in net.named_parameters()}
    data |= {"grad." + k: p.grad for k, p in net.named_parameters()}
    generator = -net(fake).mean()
    data |= {"real": real, "fake": fake, "logits_real": logits_real, "logits_fake": logits_fake,
             "loss": loss.reshape(1), "generator": generator.reshape(1),
             "grad_fake": torch.autograd.grad(generator, fake)[0]}
    save_file(contiguous(data), os.path.join(out, "discriminator.safetensors"))


def lpips(weights, x, y, convolutions=(2, 2, 3, 3, 3)):
    """LPIPS 0.1 on VGG16 of any width; one distance an image."""
    def features(x):
        shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
        x, index, taps = (x - shift[:, None, None]) / scale[:, None, None], 0, []
        for stage, count in enumerate(convolutions):
            if stage:
                x, index = F.max_pool2d(x, 2), index + 1
            for _ in range(count):
                weight, bias = weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]
                x = F.relu(F.conv2d(x, weight, bias, padding=1))
                index += 2
            taps.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return taps
    return sum(((a - b).square() * weights[f"lin{i}.weight"][:, None, None]).sum(1).mean((1, 2))
               for i, (a, b) in enumerate(zip(features(x), features(y), strict=True)))


def lpips_weights(channels=(64, 128, 256, 512, 512), convolutions=(2, 2, 3, 3, 3)):
    weights, inputs, index = {}, 3, 0
    for stage, (width, count) in enumerate(zip(channels, convolutions, strict=True)):
        for _ in range(count):
            weights[f"features.{index}.weight"] = torch.randn(width, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
            weights[f"features.{index}.bias"] = 0.1 + 0.05 * torch.randn(width)
            inputs, index = width, index + 2
        index += 1
        weights[f"lin{stage}.weight"] = torch.rand(width)
    return weights


def perceptual(out):
    torch.manual_seed(4)
    weights = lpips_weights((4, 6, 8, 8, 9))
    x, y = (torch.rand(2, 3, 32, 21) * 2 - 1).requires_grad_(), torch.rand(2, 3, 32, 21) * 2 - 1
    distances = lpips(weights, x, y)
    (distances * torch.tensor([0.5, 2.0])).sum().backward()
    save_file(contiguous(weights), os.path.join(out, "lpips.safetensors"))
    save_file(contiguous({"x": x, "y": y, "distances": distances, "grad_x": x.grad}),
              os.path.join(out, "lpips-golden.safetensors"))


if __name__ == "__main__":
    folder = sys.argv[1]
    torch.use_deterministic_algorithms(True)
    autoencoder(folder, "f2", 1, (4, 8), 2, 2, 4, 16, 12, 8, old=False)
    autoencoder(folder, "f4", 2, (4, 8, 8), 1, 4, 3, 16, 16, 16, old=True)
    discriminator(folder)
    perceptual(folder)
