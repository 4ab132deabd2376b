"""What a bundle says of itself: written last, read first."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from embeddings.catalog.file import describe
from embeddings.catalog.text import Identifier, Instant, Strict
from embeddings.compose import Composition
from embeddings.errors import BundleError
from embeddings.factors import HalfStep
from embeddings.interactions import EventWeights

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
PLACE_PATTERN = r"[0-9]{1,19}-[0-9]{1,19}"
VERSION_PATTERN = r"^\d{8}T\d{6}Z-\d{6}-[0-9a-f]{8}$"

Count = Annotated[int, Field(strict=True, ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileEntry(Strict):
    """Size and hash of one file."""

    bytes: Count
    sha256: Sha256


class Window(Strict):
    """The usage a bundle was trained on: ``[starts_at, ends_at)``."""

    starts_at: Instant
    ends_at: Instant


class Counts(Strict):
    """How much is in a bundle."""

    cardholders: Count
    columns: Count
    factors: Count
    cells: Count
    transactions: Count
    segments: Count
    items: Count


class Canary(Strict):
    """A sample answer that an opened bundle must give again."""

    cardholder_row: Count
    column_rows: tuple[Count, ...]


def place_or_none(value: object) -> object:
    """A place in a stream; None for the instants that the first bundles named in its stead."""
    known = value is None or (isinstance(value, str) and re.fullmatch(PLACE_PATTERN, value))
    return value if known else None


StreamPlace = Annotated[str | None, BeforeValidator(place_or_none)]


class Manifest(Strict):
    """Everything a reader must know before it opens a file of the bundle.

    ``events_through`` is the furthest place in the issuer's stream of events that training read,
    as ``milliseconds-number``; None when it read none whose place is known.
    ``interests_deleted_through`` is the instant until which training knew which interests had been
    deleted: of those it holds nothing from before the deletion. None when it knew of none.
    """

    format: Literal[1]
    version: Annotated[str, Field(pattern=VERSION_PATTERN)]
    sequence: Count
    issuer_id: Identifier
    created_at: Instant
    code_version: str
    window: Window
    as_of_day: int
    counts: Counts
    segments: tuple[str, ...]
    id_hash_key: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,64}$")]
    event_weights: dict[str, float | None]
    half_step: dict[str, Any]
    composition: dict[str, float]
    parameters: dict[str, Any]
    figures: dict[str, Any]
    factor_hash: Sha256
    data_fingerprint: Sha256
    canaries: tuple[Canary, ...]
    files: dict[str, FileEntry]
    events_through: StreamPlace = None
    interests_deleted_through: Instant | None = None

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        """Refuse now what serving would stumble over: words or values that no rule has."""
        for name, part in (
            ("event_weights", "rule"),
            ("half_step", "step"),
            ("composition", "mix"),
        ):
            try:
                getattr(self, part)
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"{name}: {error}") from None
        return self

    @property
    def rule(self) -> EventWeights:
        """The event weights the bundle was trained with."""
        return EventWeights.from_document(self.event_weights)

    @property
    def step(self) -> HalfStep:
        """The cardholder half-step the bundle was trained with."""
        return HalfStep.from_document(self.half_step)

    @property
    def mix(self) -> Composition:
        """How item vectors are composed against this bundle."""
        return Composition.from_document(self.composition)

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, indented, UTF-8."""
        options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(self.model_dump(mode="json"), option=options)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Manifest of a bundle's folder.

        Raises
        ------
        BundleError
            ``manifest_missing``, ``manifest_unreadable`` or ``wrong_format``.
        """
        return cls.parse(read_limited(folder / MANIFEST), folder.name)

    @classmethod
    def parse(cls, raw: bytes, name: str) -> Self:
        """Manifest of these bytes; BundleError names the bundle ``name`` and each wrong field."""
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BundleError("manifest_unreadable", f"{name}: {MANIFEST}: {error.msg}") from None
        found = document.get("format") if isinstance(document, dict) else None
        if found != FORMAT:
            raise BundleError(
                "wrong_format", f"{name}: format {found!r}, this code reads {FORMAT}; retrain"
            )
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise BundleError(
                "manifest_unreadable", f"{name}: {MANIFEST}: {describe(error)}"
            ) from None


def read_limited(path: Path) -> bytes:
    """Bytes of a manifest; BundleError when it is missing, too large or not a plain file."""
    if path.is_symlink() or not path.is_file():
        raise BundleError("manifest_missing", f"{path.parent.name}: no {path.name}; not a bundle")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(
            "manifest_unreadable", f"{path.parent.name}: {path.name} is over {MAX_MANIFEST_BYTES} B"
        )
    return path.read_bytes()


def entry_of(path: Path) -> FileEntry:
    """Size and sha256 of a file, read in one pass."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(bytes=path.stat().st_size, sha256=digest)
