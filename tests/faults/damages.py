"""Ways in which a file is damaged, drawn at random."""

import random

__all__ = ["DAMAGES", "damaged"]


def _flip(raw: bytes, rng: random.Random) -> bytes:
    """Turn one bit."""
    changed = bytearray(raw)
    changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replace(raw: bytes, rng: random.Random) -> bytes:
    """Write a digit over a byte: in a text, a number may become another number."""
    changed = bytearray(raw)
    digits = [k for k, byte in enumerate(raw) if chr(byte).isdigit()]
    changed[rng.choice(digits or range(len(raw)))] = ord(rng.choice("0123456789"))
    return bytes(changed)


def _cut(raw: bytes, rng: random.Random) -> bytes:
    """Lose the end."""
    return raw[: rng.randrange(1, len(raw))]


def _zero(raw: bytes, rng: random.Random) -> bytes:
    """Lose a block in the middle, as a disk does."""
    length = min(rng.choice((16, 128, 512)), len(raw) - 1)
    first = rng.randrange(len(raw) - length)
    return raw[:first] + bytes(length) + raw[first + length :]


def _swap(raw: bytes, rng: random.Random) -> bytes:
    """Put the second half first."""
    half = len(raw) // 2
    return raw[half:] + raw[:half]


def _empty(raw: bytes, rng: random.Random) -> bytes:
    """Lose everything."""
    return b""


def _append(raw: bytes, rng: random.Random) -> bytes:
    """Find something behind the end."""
    return raw + rng.randbytes(rng.choice((1, 100, 3000)))


DAMAGES = {
    "bit flipped": _flip,
    "digit changed": _replace,
    "cut short": _cut,
    "block of zeros": _zero,
    "halves swapped": _swap,
    "empty": _empty,
    "bytes behind the end": _append,
}


def damaged(raw: bytes, kind: str, rng: random.Random) -> bytes:
    """Return the bytes of a file after an accident, never the same ones."""
    while (changed := DAMAGES[kind](raw, rng)) == raw:
        if kind in ("empty", "halves swapped"):
            kind = "bit flipped"
    return changed
