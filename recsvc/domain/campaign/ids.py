"""Ids that can never be taken for a card number: letters alone."""

_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")


def lettered(random_bytes: bytes) -> str:
    """The bytes as letters from a to p, two a byte; no run of digits for a detector to refuse."""
    return random_bytes.hex().encode().translate(_LETTERS).decode()
