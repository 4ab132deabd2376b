"""What a run stands on before it reads any usage: the shelf, the bundle in use, the lists."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embeddings import deleted_interests, erasure
from embeddings.bundle import Bundle
from embeddings.deleted_interests import DeletedInterests
from embeddings.erasure import ErasedList
from embeddings.errors import EmbeddingsError
from embeddings.shelf import Shelf
from embeddings.signature import read_private_key
from training.errors import BadInputError
from training.pipeline.request import Request


class _OfIssuer(Protocol):
    @property
    def issuer_id(self) -> str: ...


Listed = TypeVar("Listed", bound=_OfIssuer)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a run stands on.

    Parameters
    ----------
    key : Ed25519PrivateKey or None
        What the bundle is signed with.
    shelf : Shelf
    current : Bundle or None
        The bundle in use.
    current_fault : str
        Why that one cannot be compared with, in a sentence; empty when it can, or when there is
        none.
    erased : ErasedList or None
    deleted : DeletedInterests or None
    """

    key: Ed25519PrivateKey | None
    shelf: Shelf
    current: Bundle | None
    current_fault: str
    erased: ErasedList | None
    deleted: DeletedInterests | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """What this request finds.

        Raises
        ------
        BadInputError
            A key or a list that cannot be read, a list of another issuer, or a shelf that cannot
            be written on: found now, not after the fit.
        """
        key, shelf = _signing_key(request), _shelf(request)
        current, fault = _current(shelf)
        erased, deleted = _erased(request, shelf), _deleted(shelf)
        return cls(key, shelf, current, fault, erased, deleted)

    @property
    def n_factors(self) -> int | None:
        """Factors of the bundle in use."""
        return None if self.current is None else self.current.model.factors.n_factors

    @property
    def deleted_through(self) -> datetime | None:
        """Until when every deleted interest is known of."""
        return None if self.deleted is None else self.deleted.through


def _signing_key(request: Request) -> Ed25519PrivateKey | None:
    try:
        return None if request.signing_key is None else read_private_key(request.signing_key)
    except EmbeddingsError as error:
        raise BadInputError(str(error)) from error


def _shelf(request: Request) -> Shelf:
    """Where the bundle will stand; refused where nothing can be written."""
    try:
        shelf = Shelf(request.shelf, request.issuer_id)
    except EmbeddingsError as error:
        raise BadInputError(str(error)) from error
    nearest = next(one for one in (shelf.folder, *shelf.folder.absolute().parents) if one.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise BadInputError(f"--shelf: {nearest} is no folder that this user may write into")
    return shelf


def _current(shelf: Shelf) -> tuple[Bundle | None, str]:
    """The bundle in use; a damaged one cannot be compared with, which is said and no more."""
    try:
        return shelf.current(), ""
    except EmbeddingsError as error:
        return None, f"The bundle in use could not be opened: {error}"


def _erased(request: Request, shelf: Shelf) -> ErasedList | None:
    """The list asked for, else the one that lies in the issuer's folder on the shelf."""
    lying = shelf.folder / erasure.FILE_NAME
    path = request.erased or (lying if lying.is_file() else None)
    return None if path is None else _read(path, ErasedList.read, shelf.issuer_id)


def _deleted(shelf: Shelf) -> DeletedInterests | None:
    """The list that lies in the issuer's folder on the shelf; None when there is none."""
    path = shelf.folder / deleted_interests.FILE_NAME
    return _read(path, DeletedInterests.read, shelf.issuer_id) if path.exists() else None


def _read(path: Path, read: Callable[[Path], Listed], issuer_id: str) -> Listed:
    """A list about this issuer's cardholders."""
    try:
        found = read(path)
    except EmbeddingsError as error:
        raise BadInputError(str(error)) from error
    if found.issuer_id != issuer_id:
        raise BadInputError(f"{path}: is the list of another issuer than {issuer_id}")
    return found


def made_report_folder(request: Request, now: datetime) -> Path:
    """The folder for a refused run's report: the one asked for, one beside the shelf, or a new one.

    The last where only the shelf can be written: reasons are not lost for want of a place for
    their page.
    """
    folder = request.report_dir or _beside_shelf(request, now)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        if request.report_dir is not None:
            raise
        return Path(tempfile.mkdtemp(prefix=folder.name))
    return folder


def _beside_shelf(request: Request, now: datetime) -> Path:
    """Beside the shelf, never on it."""
    shelf = request.shelf
    name = f"refused-{now:%Y%m%dT%H%M%SZ}"
    return shelf.parent / f"{shelf.name}-reports" / request.issuer_id / name
