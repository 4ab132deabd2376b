"""Files that stay: on disk before anybody is told of them, old or new and never between."""

import os
import uuid
from pathlib import Path


def force(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a small file whole; whoever reads it, also after a power cut, finds old or new.

    On failure the file is as it was and no draft is left.
    """
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        draft.write_bytes(content)
        force(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    force(path.parent)
