"""The trainer's random numbers in numpy, bit for bit: Philox 4x32-10, its streams, Box-Muller.

Twin of Sources/TensorCore/Philox.swift and PortableMath.swift. A number is a pure function of
(seed, purpose, substream, position, draw). log, exp, sin and cos are series of additions,
multiplications and divisions in the same order as there, so that both sides agree in every bit of
the f64 result.

usage: philox.py    checks itself and prints the bits that the Swift tests expect
"""
import numpy as np

PURPOSES = {
    "initialization": 1, "order": 2, "augmentation": 3, "labelDropout": 4, "sigma": 5, "noise": 6,
    "dropout": 7, "samplerNoise": 8, "samplerChurn": 9, "samplerLabel": 10, "shapes": 11,
    "features": 12, "timestep": 13, "latent": 14, "fourier": 15, "test": 255,
}
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter, key):
    """Blocks [..., 4] of counters [..., 4] under one key (2 words); words are held in uint64."""
    c = [np.asarray(word, np.uint64) for word in np.moveaxis(np.asarray(counter, np.uint64), -1, 0)]
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> HALF) ^ c[1] ^ np.uint64(k0), b & LOW,
             (a >> HALF) ^ c[3] ^ np.uint64(k1), a & LOW]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=-1)


def log(x):
    """Natural logarithm of positive, normal f64 numbers."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))  # [1/2, 1)
    mantissa, exponent = mantissa * 2, exponent - 1.0
    large = mantissa > 1.4142135623730951
    mantissa = np.where(large, mantissa / 2, mantissa)
    exponent = np.where(large, exponent + 1, exponent)
    s = (mantissa - 1) / (mantissa + 1)
    z = s * s
    series = np.zeros_like(z)
    for n in range(21, 2, -2):
        series = series * z + 1 / n
    series = series * z
    high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
    return exponent * high + (exponent * low + (2 * s * series + 2 * s))


def exp(x):
    """e^x for |x| < 708."""
    x = np.asarray(x, np.float64)
    k = away(x / 0.6931471805599453)
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    series = np.zeros_like(r)
    for n in range(14, 0, -1):
        series = (series + 1) * r / n
    return np.ldexp(series + 1, k.astype(np.int64))


def away(x):
    """Rounds to the nearest integer, halves away from zero (numpy rounds them to even)."""
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(1.0, x), whole)


def sin_cos_of_turns(turns):
    """sin and cos of `turns` whole circles."""
    reduced = turns - away(turns)
    quarter = away(reduced * 4)
    angle = (reduced - quarter / 4) * 6.283185307179586
    z = angle * angle
    sine, cosine = np.zeros_like(z), np.zeros_like(z)
    for n in range(17, 2, -2):
        sine = (1 + sine) * -z / (n * (n - 1))
    sine = angle + angle * sine
    for n in range(18, 1, -2):
        cosine = (1 + cosine) * -z / (n * (n - 1))
    cosine = 1 + cosine
    which = quarter.astype(np.int64) & 3
    return (np.choose(which, [sine, cosine, -sine, -cosine]),
            np.choose(which, [cosine, -sine, -cosine, sine]))


class RandomStream:
    """Numbers of one (seed, purpose, substream, position); draws are counted from 0."""

    def __init__(self, seed, purpose, substream=0, position=0):
        assert 0 <= substream < 1 << 24, substream
        self.key = (seed & 0xFFFFFFFF, seed >> 32)
        self.words = (PURPOSES[purpose] << 24 | substream, position & 0xFFFFFFFF, position >> 32)

    def bits(self, count):
        """Draws 0..<count of 32 uniform bits, as uint64."""
        counter = np.zeros(((count + 3) // 4, 4), np.uint64)
        counter[:, 0] = np.arange(len(counter))
        counter[:, 1:] = self.words
        return philox(counter, self.key).reshape(-1)[:count]

    def uniforms(self, count):
        """Draws 0..<count in (0, 1), f64."""
        return (self.bits(count).astype(np.float64) + 0.5) * 2.0**-32

    def normals(self, count):
        """Normals 0..<count, f64: Box-Muller of draws 2i and 2i + 1 gives normals 2i and 2i + 1."""
        pairs = self.uniforms((count + 1) // 2 * 2).reshape(-1, 2)
        radius = np.sqrt(-2 * log(pairs[:, 0]))
        sine, cosine = sin_cos_of_turns(pairs[:, 1])
        return np.stack([radius * cosine, radius * sine], axis=1).reshape(-1)[:count]


def check():
    """Published vectors, libm within 4 ulp, moments; fails by an assertion."""
    digits = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]
    vectors = [([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
               ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
               (*digits, "d16cfe09 94fdcceb 5001e420 24126ea1")]
    for counter, key, block in vectors:
        found = " ".join(f"{int(word):08x}" for word in philox(counter, key))
        assert found == block, f"Philox gives {found}, the published vector is {block}"
    u = RandomStream(1, "test").uniforms(1 << 16)
    assert u.min() > 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.005
    x = RandomStream(1, "test").normals(1 << 18)
    assert abs(x.mean()) < 0.008 and abs(x.var() - 1) < 0.012 and abs((x**4).mean() - 3) < 0.08
    for found, libm in [(log(u), np.log(u)), (exp(40 * u - 20), np.exp(40 * u - 20))]:
        assert (np.abs(found - libm) / np.spacing(np.abs(libm))).max() < 4
    sine, cosine = sin_cos_of_turns(u)
    assert np.abs(sine - np.sin(2 * np.pi * u)).max() < 1e-15
    assert np.abs(cosine - np.cos(2 * np.pi * u)).max() < 1e-15


if __name__ == "__main__":
    check()
    stream = RandomStream(0x0123456789ABCDEF, "sigma", 77, 0x1_0000_0005)
    print("bits    ", *(f"{int(b):08x}" for b in stream.bits(6)))
    normals = stream.normals(6)
    print("normals ", *(f"{int(b):016x}" for b in normals.view(np.uint64)))
    print("exp     ", *(f"{int(b):016x}" for b in exp(-1.2 + 1.2 * normals).view(np.uint64)))
    many = stream.normals(1 << 20).view(np.uint64)
    print("xor of 2^20 normals", f"{int(np.bitwise_xor.reduce(many)):016x}")
