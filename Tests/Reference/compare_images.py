"""Compares what diffit decodes with what Pillow decodes, over images of every kind.

    python3 compare_images.py DIFFIT [SEED]        # needs numpy, pillow, a C compiler and libjpeg's headers

Every file of `pictures/make_kinds.py`, and 200 files of random sizes, formats and orientations from
SEED, go through `diffit data convert` at their own size, which leaves pixels as they are. Prints one
line per difference, then the counts; exit code 1 where PNG files differ at all or JPEG files by more
than one level (versions of libjpeg round differently).
"""

import io
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures"))
import make_kinds

warnings.simplefilter("ignore")


def random_files(seed):
    rng = np.random.default_rng(seed)
    found = {}
    for index in range(200):
        side = int(rng.integers(1, 70))
        smooth = rng.integers(0, 256, (4, 4, 3), np.uint8)
        image = Image.fromarray(smooth).resize((side, side), Image.Resampling.BICUBIC)
        mode = str(rng.choice(["RGB", "L", "P", "LA", "RGBA", "CMYK", "1"]))
        jpeg = (bool(rng.integers(2)) and mode in ("RGB", "L", "CMYK")) or mode == "CMYK"
        exif = Image.Exif()
        exif[0x0112] = int(rng.integers(0, 10))
        options = dict(format="PNG", exif=exif)
        if jpeg:
            options = dict(format="JPEG", exif=exif, quality=int(rng.integers(5, 100)),
                           subsampling=int(rng.integers(3)), progressive=bool(rng.integers(2)),
                           restart_marker_blocks=int(rng.integers(3)))
        file = io.BytesIO()
        image.convert(mode).save(file, **options)
        found[f"random-{index:03d}-{mode}{side}." + ("jpg" if jpeg else "png")] = file.getvalue()
    return found


def main():
    program, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    files = make_kinds.all_kinds() | random_files(seed)
    expected = {name: make_kinds.pixels(data) for name, data in files.items()}
    worst = {"png": 0, "jpg": 0}
    with tempfile.TemporaryDirectory() as folder:
        for side in sorted({pixels.shape[0] for pixels in expected.values()}):
            names = sorted(name for name in files if expected[name].shape[0] == side)
            os.makedirs(f"{folder}/{side}")
            for name in names:
                with open(f"{folder}/{side}/{name}", "wb") as file:
                    file.write(files[name])
            out = f"{folder}/{side}.zip"
            subprocess.run([program, "data", "convert", f"{folder}/{side}", "--out", out, "--resolution", str(side),
                            "--transform", "stretch"], check=True, stdout=subprocess.DEVNULL)
            with zipfile.ZipFile(out) as archive:
                made = sorted(name for name in archive.namelist() if name.endswith(".png"))
                for name, entry in zip(names, made, strict=True):
                    ours = np.asarray(Image.open(io.BytesIO(archive.read(entry))), int)
                    difference = int(abs(ours - expected[name]).max())
                    if difference:
                        print(f"{name}: {difference} levels")
                    kind = name.rsplit(".", 1)[1]
                    worst[kind] = max(worst[kind], difference)
    print(f"{len(files)} files; largest difference: PNG {worst['png']}, JPEG {worst['jpg']} levels")
    sys.exit(worst["png"] > 0 or worst["jpg"] > 1)


if __name__ == "__main__":
    main()
