"""Writes the small NPY, NPZ and ZIP files that the readers are tested on, or reads what the writers made.

    python3 make_arrays.py OUT                # needs numpy and pillow
    python3 make_arrays.py --check FILE ...   # loads .npy, .npz and .zip files with numpy and zipfile

Element k of an array, counted in C order, is 7 k % 23 - 5 (unsigned: 7 k % 23; bool: k % 3 == 0).
Pixel k is 37 k % 256. Bytes depend on the versions of numpy and zlib.
"""

import io
import os
import sys
import zipfile

import numpy as np


def values(dtype, shape):
    k = np.arange(int(np.prod(shape)), dtype=np.int64)
    kind = np.dtype(dtype).kind
    v = k % 3 == 0 if kind == "b" else 7 * k % 23 - (0 if kind == "u" else 5)
    return v.reshape(shape).astype(dtype)


def pixels(shape):
    return (37 * np.arange(int(np.prod(shape))) % 256).astype(np.uint8).reshape(shape)


class Unseekable(io.RawIOBase):
    """Makes zipfile put sizes and checksums behind each entry."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def make(out):
    os.makedirs(out, exist_ok=True)

    def path(name):
        return os.path.join(out, name)

    for code in ["b1", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"]:
        np.save(path(f"{code[-2:]}.npy"), values(code, (2, 3)))
    for code in [">i2", ">u4", ">f4", ">f8"]:
        np.save(path(f"big-{code[1:]}.npy"), values(code, (3, 2)))
    np.save(path("fortran.npy"), np.asfortranarray(values("<f8", (2, 3, 4))))
    np.save(path("big-fortran.npy"), np.asfortranarray(values(">i4", (3, 5))))
    np.save(path("scalar.npy"), np.float64(2.5))
    np.save(path("empty.npy"), np.zeros((0, 3), np.float32))
    np.save(path("objects.npy"), np.array([1, "two"], dtype=object), allow_pickle=True)
    np.save(path("structure.npy"), np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    for version in [(2, 0), (3, 0)]:
        with open(path(f"version-{version[0]}.npy"), "wb") as file:
            np.lib.format.write_array(file, values("<i4", (4,)), version=version)

    images = pixels((5, 3, 4, 3))
    labels = np.arange(5, dtype=np.int64) * 2
    np.save(path("images.npy"), images)
    np.savez(path("stored.npz"), images, labels)
    np.savez_compressed(path("deflated.npz"), images, labels)
    np.savez(path("named.npz"), samples=images)
    d, s = 4, 3
    virtual = dict(
        arr_0=images, mu=values("<f8", (d,)), sigma=values("<f8", (d, d)),
        mu_s=values("<f8", (s,)), sigma_s=values("<f8", (s, s)))
    np.savez(path("adm.npz"), **virtual)
    np.savez(path("edm-f4.npz"), mu=values("<f4", (d,)), sigma=values("<f4", (d, d)))

    from PIL import Image

    with (
        open(path("descriptors.zip"), "wb") as file,
        zipfile.ZipFile(Unseekable(file), "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for index in [1, 0]:
            png = io.BytesIO()
            Image.fromarray(images[index]).save(png, "PNG")
            archive.writestr(zipfile.ZipInfo(f"b/{index}.png"), png.getvalue())
        archive.writestr(zipfile.ZipInfo("notes.txt"), "not an image")


def check(paths):
    for path in paths:
        if path.endswith(".npy"):
            array = np.load(path)
            print(path, array.dtype, array.shape, array.flatten()[:6])
            continue
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            infos = archive.infolist()
            assert all(info.compress_type == 0 for info in infos)
            print(path, len(infos), "entries, first", infos[0].filename, infos[0].date_time)
        if path.endswith(".npz"):
            with np.load(path) as arrays:
                for name in arrays.files:
                    a = arrays[name]
                    print("  ", name, a.dtype, a.shape, a.flatten()[:6], int(a.sum(dtype=np.float64)))


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        check(sys.argv[2:])
    else:
        make(sys.argv[1])
