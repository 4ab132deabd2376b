"""Chance as an argument: drawn from a key and a name, so that asking again gives the same."""

import hashlib

SCALE = 1 << 64


def draw(key: bytes, *names: str) -> float:
    """A number within [0, 1), the same for the same key and names, else evenly spread.

    Parameters
    ----------
    key : bytes, at most 64
    names : what the number is for, e.g. ``"exploration", request_id``
    """
    text = "\x1f".join(names).encode()
    digest = hashlib.blake2b(text, digest_size=8, key=key[:64]).digest()
    return (int.from_bytes(digest, "big") >> 11) / (SCALE >> 11)
