"""Compares `diffit data convert` with Pillow on a real folder, pixel by pixel, and times both.

    python3 compare_convert.py DIFFIT FOLDER [--sizes 64,256] [--processes 2] [--repeats 3]

FOLDER has class folders of JPEG or PNG files. The transforms are written here anew from what EDM's
dataset tool does: Pillow's crops and resizes; photographs are turned upright by `ImageOps.exif_transpose`.
Both sides write uncompressed PNG files into a folder, with as many processes: `mpirun -n N` and one thread
a rank on ours, `multiprocessing` on Pillow's. A time is the least of all repeats, from start to end, start-up
included. Other work on the machine shows in both. Exits with 1 where a level differs by more than one.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None
BOX, BICUBIC, LANCZOS = (Image.Resampling[n] for n in ("BOX", "BICUBIC", "LANCZOS"))


def resize(image, width, height, kernel):
    """Along x, then along y, as Pillow up to 12 does; from 13 on it begins with y where that is less work."""
    return image.resize((width, image.height), kernel).resize((width, height), kernel)


def dhariwal(image, side):
    while min(image.size) >= 2 * side:
        image = resize(image, image.width // 2, image.height // 2, BOX)
    scale = side / min(image.size)
    image = resize(image, round(image.width * scale), round(image.height * scale), BICUBIC)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def center_crop(image, side):
    crop = min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    return resize(image, side, side, LANCZOS)


def stretch(image, side):
    return resize(image, side, side, LANCZOS)


TRANSFORMS = {"center-crop-dhariwal": dhariwal, "center-crop": center_crop, "stretch": stretch}


def pictures(folder):
    names = []
    for label in sorted(os.listdir(folder), key=os.fsencode):
        if not label.startswith(".") and os.path.isdir(os.path.join(folder, label)):
            found = sorted(os.listdir(os.path.join(folder, label)), key=os.fsencode)
            names += [
                os.path.join(label, n)
                for n in found
                if n.lower().endswith((".jpg", ".jpeg", ".png")) and not n.startswith(".")
            ]
    return names


def packed(out, index):
    return os.path.join(out, f"{index:08d}"[:5], f"img{index:08d}.png")


def convert(task):
    index, path, out, transform, side = task
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        result = TRANSFORMS[transform](image.convert("RGB"), side)
    result.save(packed(out, index), compress_level=0)


def by_pillow(folder, out, transform, side, processes):
    names = pictures(folder)
    for first in range(0, len(names), 1000):
        os.makedirs(os.path.dirname(packed(out, first)))
    tasks = [(i, os.path.join(folder, n), out, transform, side) for i, n in enumerate(names)]
    with multiprocessing.Pool(processes) as pool:
        pool.map(convert, tasks, chunksize=8)
    return len(names)


def by_diffit(program, folder, out, transform, side, processes):
    launcher = ["mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", str(processes)]
    command = [program, "data", "convert", folder, "--out", out, "--resolution", str(side)]
    subprocess.run(
        launcher + command + ["--transform", transform, "--json", out + ".json"],
        check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DIFFIT_THREADS": "1"})
    with open(out + ".json") as file:
        return json.load(file)["images_per_second"]


def best(repeats, out, work):
    found = []
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        begun = time.perf_counter()
        value = work()
        found.append((time.perf_counter() - begun, value))
    return min(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--sizes", default="64,256")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for side in map(int, given.sizes.split(",")):
            for transform in TRANSFORMS:
                ours, theirs = (os.path.join(scratch, name) for name in ("ours", "theirs"))
                our_time, rate = best(given.repeats, ours, partial(
                    by_diffit, given.program, given.folder, ours, transform, side, given.processes))
                their_time, count = best(given.repeats, theirs, partial(
                    by_pillow, given.folder, theirs, transform, side, given.processes))
                differing, worst, images = 0, 0, 0
                for index in range(count):
                    a = np.array(Image.open(packed(ours, index))).astype(int)
                    b = np.array(Image.open(packed(theirs, index))).astype(int)
                    difference = abs(a - b)
                    differing += int((difference > 0).sum())
                    images += int(difference.max() > 0)
                    worst = max(worst, int(difference.max()))
                failed |= worst > 1
                print(
                    f"{transform:20} {side:4}  worst {worst}, {differing} levels in {images} of"
                    f" {count} images; images/s: diffit {count / our_time:.0f}"
                    f" ({rate:.0f} without start-up), Pillow {count / their_time:.0f},"
                    f" ratio {their_time / our_time:.2f}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
