"""Writes what the transforms and decoders are held against: results of Pillow 11 or 12.

    python3 make_pictures.py OUT        # needs numpy, pillow, and libturbojpeg for the YCCK file

`transforms.npz` has `NAME-WIDTHxHEIGHT-SIDE`: the picture of that size, whose levels at (y, x, c) are
(37 y + 101 x + 59 c + 13 x y + 7 x x) % 256, brought to SIDE. `orientations.npz` has `1` ... `8`: a picture of
5 x 3 pixels after `exif_transpose`. `inks.npz` has CMYK and YCCK files (`NAME.jpg`) and what Pillow
makes of them (`NAME`). `deflated.zip` is a packed set whose entries are compressed.
"""

import ctypes
import ctypes.util
import io
import json
import sys
import zipfile

import numpy as np
import PIL
from PIL import Image, ImageOps

BOX, BICUBIC, LANCZOS = (Image.Resampling[n] for n in ("BOX", "BICUBIC", "LANCZOS"))
SIZES = [(45, 31), (31, 45), (130, 67), (16, 16), (9, 64), (301, 7)]
SIDES = [7, 24]


def levels(width, height):
    y, x, c = np.ogrid[:height, :width, :3]
    return ((37 * y + 101 * x + 59 * c + 13 * x * y + 7 * x * x) % 256).astype(np.uint8)


def dhariwal(image, side):
    while min(image.size) >= 2 * side:
        image = image.resize((image.width // 2, image.height // 2), BOX)
    scale = side / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), BICUBIC)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def square(image):
    crop = min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    return image.crop((left, top, left + crop, top + crop))


def transforms():
    found = {}
    for width, height in SIZES:
        image = Image.fromarray(levels(width, height))
        for side in SIDES:
            tail = f"{width}x{height}-{side}"
            found[f"center-crop-dhariwal-{tail}"] = dhariwal(image, side)
            for name, kernel in (("box", BOX), ("bicubic", BICUBIC), ("lanczos", LANCZOS)):
                found[f"center-crop-{name}-{tail}"] = square(image).resize((side, side), kernel)
                found[f"stretch-{name}-{tail}"] = image.resize((side, side), kernel)
    return {name: np.array(image) for name, image in found.items()}


def orientations():
    found = {}
    for value in range(1, 9):
        image, file = Image.fromarray(levels(5, 3)), io.BytesIO()
        exif = image.getexif()
        exif[0x0112] = value
        image.save(file, "PNG", exif=exif)
        found[str(value)] = np.array(ImageOps.exif_transpose(Image.open(file)))
    return found


def ycck(inks):
    library = ctypes.CDLL(ctypes.util.find_library("turbojpeg"))
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    height, width = inks.shape[:2]
    data, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong(0)
    status = library.tjCompress2(
        handle, inks.ctypes.data_as(ctypes.c_void_p), width, 0, height, 11, ctypes.byref(data),
        ctypes.byref(size), 0, 92, 0)
    assert status == 0
    return bytes(data[: size.value])


def inks():
    # Smooth, so that decoders that differ by rounding agree to a level.
    y, x = np.mgrid[:16, :24]
    four = np.stack([10 * x, 15 * y, 255 - 5 * x - 5 * y, 255 - 3 * x], -1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(255 - four, "CMYK").save(file, "JPEG", quality=92)
    files = {"cmyk": file.getvalue(), "ycck": ycck(np.ascontiguousarray(four))}
    found = {}
    for name, data in files.items():
        found[f"{name}.jpg"] = np.frombuffer(data, np.uint8)
        found[name] = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    return found


def deflated(path):
    labels = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3):
            name, file = f"00000/img{index:08d}.png", io.BytesIO()
            Image.fromarray(levels(8 + index, 8)).save(file, "PNG", compress_level=0)
            archive.writestr(name, file.getvalue())
            labels.append([name, index % 2])
        archive.writestr("dataset.json", json.dumps({"labels": labels}))


def main():
    out = sys.argv[1]
    assert int(PIL.__version__.split(".")[0]) in (11, 12), "13 changed the order of the two axes"
    np.savez_compressed(f"{out}/transforms.npz", **transforms())
    np.savez_compressed(f"{out}/orientations.npz", **orientations())
    np.savez_compressed(f"{out}/inks.npz", **inks())
    deflated(f"{out}/deflated.zip")


if __name__ == "__main__":
    main()
