"""Writes images of every kind, and what Pillow makes of them: `kinds.npz`.

    python3 make_kinds.py OUT           # needs numpy, pillow, a C compiler and libjpeg's headers

`NAME.png` and `NAME.jpg` have a file's bytes, `NAME-png` and `NAME-jpg` its upright pixels, [height, width, 3], by
`ImageOps.exif_transpose` and `convert("RGB")`. 16-bit grey is an exception: see `pixels`.
Pillow 11.3 and 13.0 write the same arrays.
"""

import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

SIDE = 19
HERE = os.path.dirname(os.path.abspath(__file__))
y, x = np.mgrid[:SIDE, :SIDE]
# Smooth, so that decoders that differ by rounding agree to a level.
RGB = np.stack([x * 12, y * 12, 255 - 5 * (x + y)], -1).astype(np.uint8)
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    """Rows of samples [height, width * channels] as PNG packs them, each with filter 0."""
    rows = b""
    for row in samples:
        if depth == 16:
            line = row.astype(">u2").tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in row)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + line
    return rows


def png(samples, depth, colour, interlaced=False, before=b"", behind=b""):
    """`samples` is [height, width, channels]; `before` and `behind` are chunks around IDAT."""
    height, width, channels = samples.shape
    if interlaced:
        parts = [samples[top::down, left::across] for left, top, across, down in PASSES]
        rows = b"".join(
            packed(part.reshape(part.shape[0], -1), depth) for part in parts if part.size)
    else:
        rows = packed(samples.reshape(height, width * channels), depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
            + chunk(b"IDAT", zlib.compress(rows, 9)) + behind + chunk(b"IEND", b""))


def exif(value, order="<", kind=3, count=1, tag=0x0112, more=()):
    tags = [*more, (tag, kind, count, value)]
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    for tag, kind, count, value in tags:
        field = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I"}.get(kind, "I"), value)
        data += struct.pack(order + "HHI", tag, kind, count) + field
    return data + struct.pack(order + "I", 0)


def raw_profile(data):
    """As ImageMagick writes it."""
    text = data.hex()
    lines = "\n".join(text[i : i + 72] for i in range(0, len(text), 72))
    return f"\nexif\n{len(data):8}\n{lines}\n".encode()


def xmp(value, element=False):
    tag = f"<tiff:Orientation>{value}</tiff:Orientation>" if element else ""
    attribute = "" if element else f' tiff:Orientation="{value}"'
    return (f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description{attribute}>{tag}'
            "</rdf:Description></rdf:RDF></x:xmpmeta>").encode()


def itxt(key, text, compressed=False):
    body = zlib.compress(text) if compressed else text
    return chunk(b"iTXt", key + b"\0" + bytes([compressed, 0]) + b"\0\0" + body)


def ztxt(key, text):
    return chunk(b"zTXt", key + b"\0\0" + zlib.compress(text))


def pngs():
    grey = RGB[..., :1].astype(int)
    alpha = (255 - RGB[..., 1:2]).astype(int)
    found = {}
    for interlaced in (False, True):
        tail = "-interlaced" if interlaced else ""
        for depth in (1, 2, 4, 8, 16):
            levels = (grey * 257) >> (16 - depth)
            found[f"grey-{depth}{tail}"] = png(levels, depth, 0, interlaced)
        for depth in (1, 2, 4, 8):
            colours = min(2**depth, 200)
            palette = np.random.default_rng(depth).integers(0, 256, (colours, 3), np.uint8).tobytes()
            see_through = chunk(b"tRNS", bytes(range(0, 2 * min(colours, 9), 2)))
            indices = ((x + 3 * y) % colours)[..., None]
            for name, more in (("", b""), ("-trns", see_through)):
                before = chunk(b"PLTE", palette) + more
                found[f"palette-{depth}{name}{tail}"] = png(indices, depth, 3, interlaced, before)
        for depth in (8, 16):
            scale = 257 if depth == 16 else 1
            noise = 0 if depth == 8 else (7 * x + 3 * y)[..., None] % 200
            wide = RGB.astype(int) * scale + noise
            wide = np.minimum(wide, 2**depth - 1)
            found[f"rgb-{depth}{tail}"] = png(wide, depth, 2, interlaced)
            found[f"rgba-{depth}{tail}"] = png(
                np.concatenate([wide, alpha * scale], -1), depth, 6, interlaced)
            found[f"grey-alpha-{depth}{tail}"] = png(
                np.concatenate([grey * scale, alpha * scale], -1), depth, 4, interlaced)
    found["grey-trns"] = png(grey, 8, 0, before=chunk(b"tRNS", struct.pack(">H", 12)))
    found["rgb-trns"] = png(RGB, 8, 2, before=chunk(b"tRNS", struct.pack(">HHH", 0, 0, 255)))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    icc = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))
    gamma = chunk(b"gAMA", struct.pack(">I", 55556))
    for name, before in {
        "gamma": gamma, "gamma-dark": chunk(b"gAMA", struct.pack(">I", 220000)), "icc": icc,
        "srgb-icc": chunk(b"sRGB", b"\0") + icc, "srgb-gamma": chunk(b"sRGB", b"\1") + gamma,
        "icc-broken": chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")),
        "chrm": chunk(b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000))),
        "sbit": chunk(b"sBIT", bytes([5, 5, 5])),
        "bkgd": chunk(b"bKGD", struct.pack(">HHH", 9, 9, 9)),
    }.items():
        found[f"colours-{name}"] = png(RGB, 8, 2, before=before)
    found["colours-gamma-grey-16"] = png(grey * 257, 16, 0, before=gamma)
    return found


def orientations():
    """PNG files that say in one way or another how they are turned."""
    mark, profile, label = b"Exif\0\0", b"Raw profile type exif", b"XML:com.adobe.xmp"
    cases = {f"exif-{value}": (chunk(b"eXIf", exif(value)), b"") for value in range(0, 10)}
    cases |= {
        "exif-big": (chunk(b"eXIf", exif(6, ">")), b""),
        "exif-byte": (chunk(b"eXIf", exif(6, kind=1)), b""),
        "exif-byte-big": (chunk(b"eXIf", exif(6, ">", kind=1)), b""),
        "exif-long": (chunk(b"eXIf", exif(8, ">", kind=4)), b""),
        "exif-two-values": (chunk(b"eXIf", exif(6, count=2)), b""),
        "exif-marked": (chunk(b"eXIf", mark + exif(6)), b""),
        "exif-behind": (b"", chunk(b"eXIf", exif(6))),
        "exif-cut": (chunk(b"eXIf", exif(6)[:-8]), b""),
        "exif-without": (chunk(b"eXIf", exif(5, tag=0x0131)), b""),
        "exif-two-chunks": (chunk(b"eXIf", exif(3)), chunk(b"eXIf", exif(6))),
        "raw-ztxt": (ztxt(profile, raw_profile(mark + exif(6))), b""),
        "raw-text": (chunk(b"tEXt", profile + b"\0" + raw_profile(mark + exif(8, ">"))), b""),
        "raw-itxt": (itxt(profile, raw_profile(exif(3)), True), b""),
        "raw-behind": (b"", ztxt(profile, raw_profile(mark + exif(7)))),
        "raw-and-exif": (ztxt(profile, raw_profile(exif(3))) + chunk(b"eXIf", exif(6)), b""),
        "xmp": (itxt(label, xmp(6)), b""),
        "xmp-element": (itxt(label, xmp(5, element=True)), b""),
        "xmp-compressed": (itxt(label, xmp(8), True), b""),
        "xmp-behind": (b"", itxt(label, xmp(4))),
        "xmp-text": (chunk(b"tEXt", label + b"\0" + xmp(6)), b""),
        "xmp-late-match": (itxt(label, b"<a tiff:Orientation='3'/>" + xmp(6)), b""),
        "xmp-and-exif": (itxt(label, xmp(6)) + chunk(b"eXIf", exif(3)), b""),
        "xmp-and-exif-0": (itxt(label, xmp(6)) + chunk(b"eXIf", exif(0)), b""),
        "xmp-and-exif-without": (itxt(label, xmp(6)) + chunk(b"eXIf", exif(1, tag=0x131)), b""),
        "comment": (chunk(b"tEXt", b"Comment\0" + xmp(6)), b""),
    }
    return {f"turned-{name}": png(RGB, 8, 2, before=before, behind=behind)
            for name, (before, behind) in cases.items()}


def app1(*segments):
    return b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in segments)


def jpegs():
    def saved(image, **options):
        file = io.BytesIO()
        image.save(file, "JPEG", **({"quality": 92} | options))
        return file.getvalue()

    picture = Image.fromarray(RGB)
    found = {name: saved(picture, subsampling=name) for name in ("4:4:4", "4:2:2", "4:2:0")}
    found |= {
        "progressive": saved(picture, progressive=True),
        "restarts": saved(picture, restart_marker_blocks=1),
        "grey": saved(picture.convert("L")),
        "cmyk": saved(Image.merge("CMYK", [*picture.split(), picture.convert("L")])),
    }
    plain, at = found["4:4:4"], found["4:4:4"].index(b"JFIF\0")
    found["jfif-0.02"] = plain[: at + 5] + b"\0\2" + plain[at + 7 :]
    found["jfif-2.01"] = plain[: at + 5] + b"\2\1" + plain[at + 7 :]
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/jpeg_kinds"
        subprocess.run(["cc", "-o", program, f"{HERE}/jpeg_kinds.c", "-ljpeg"], check=True)
        for kind in ("4x2", "2x4", "4x1", "1x2", "arithmetic", "arithmetic-progressive", "rgb", "ycck"):
            found[kind] = subprocess.run(
                [program, kind, str(SIDE), str(SIDE)], input=RGB.tobytes(), capture_output=True,
                check=True).stdout
    mark, label = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
    for name, segments in {
        "exif": [mark + exif(6)], "exif-big": [mark + exif(8, ">")],
        "exif-two-segments": [mark + exif(6)[:20], mark + exif(6)[20:]],
        "exif-marked-twice": [mark + mark + exif(3)],
        "xmp": [label + xmp(6)], "xmp-twice": [label + xmp(3), label + xmp(6)],
        "xmp-and-exif": [label + xmp(3), mark + exif(6)],
        "xmp-and-exif-without": [mark + exif(1, tag=0x131), label + xmp(7)],
    }.items():
        found[f"turned-{name}"] = plain[:2] + app1(*segments) + plain[2:]
    return found


def pixels(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I"):
        # Pillow cuts levels above 255 off, so that nearly all is white. The upper 8 bits are what it
        # makes of 16-bit colours.
        return np.repeat((np.asarray(image, int) >> 8).astype(np.uint8)[..., None], 3, -1)
    return np.asarray(image.convert("RGB"))


def all_kinds():
    """Name with ending -> bytes."""
    found = {f"{name}.png": data for name, data in (pngs() | orientations()).items()}
    return found | {f"{name.replace(':', '')}.jpg": data for name, data in jpegs().items()}


def main():
    arrays = {}
    for name, data in all_kinds().items():
        arrays[name] = np.frombuffer(data, np.uint8)
        arrays[name.rsplit(".", 1)[0] + "-" + name.rsplit(".", 1)[1]] = pixels(data)
    np.savez_compressed(f"{sys.argv[1]}/kinds.npz", **arrays)
    print(len(arrays) // 2, "files")


if __name__ == "__main__":
    main()
