"""Ids that can never be taken for a card number: letters alone."""

_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")


def lettered(random_bytes: bytes) -> str:
    """The bytes as letters from a to p, two a byte; no run of digits for a detector to refuse."""
    return random_bytes.hex().encode().translate(_LETTERS).decode()


def lettered_each(random_bytes: bytes, size: int) -> list[str]:
    """The same of each ``size`` bytes in turn."""
    letters, step = lettered(random_bytes), 2 * size
    return [letters[at : at + step] for at in range(0, len(letters), step)]
