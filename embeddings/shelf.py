"""Where bundles stand: publish, current, promote, roll back, pin, prune.

<root>/<issuer_id>/versions/<version>/   bundles, each renamed into place whole
<root>/<issuer_id>/CURRENT               the version that serves, swapped by rename
<root>/<issuer_id>/POINTERS              every version CURRENT ever named, oldest first
<root>/<issuer_id>/PINNED                while it is there, CURRENT does not move by itself
"""

import fcntl
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from embeddings.bundle import Bundle
from embeddings.catalog.text import ID_PATTERN
from embeddings.durable import force, replace_file
from embeddings.errors import BundleError, ShelfError
from embeddings.manifest import MANIFEST, SIGNATURE, VERSION_PATTERN, Manifest

TEMPORARY = ".tmp-"
MIN_AGE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """One bundle on the shelf as its manifest tells it; ``fault`` says why it is not usable."""

    version: str
    manifest: Manifest | None
    is_current: bool
    is_pinned: bool
    fault: str | None


class Shelf:
    """The bundles of one issuer.

    Parameters
    ----------
    root : Path
    issuer_id : str
        Must match the id pattern; it names a folder.
    trusted : sequence of Ed25519PublicKey
        When given, only bundles signed by one of them are opened.
    """

    def __init__(
        self, root: Path, issuer_id: str, *, trusted: Sequence[Ed25519PublicKey] = ()
    ) -> None:
        if not re.fullmatch(ID_PATTERN[1:-1], issuer_id) or set(issuer_id) == {"."}:
            raise ShelfError("issuer_id: must match " + ID_PATTERN)
        self.issuer_id = issuer_id
        self.folder = root / issuer_id
        self._versions = self.folder / "versions"
        self._trusted = tuple(trusted)

    def versions(self) -> list[str]:
        """All versions that stand on the shelf, oldest first."""
        if not self._versions.is_dir():
            return []
        names = (path.name for path in self._versions.iterdir() if path.is_dir())
        return sorted(name for name in names if re.fullmatch(VERSION_PATTERN, name))

    def current_version(self) -> str | None:
        """The version that serves; None when nothing was published or the pointer is damaged."""
        try:
            text = (self.folder / "CURRENT").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if re.fullmatch(VERSION_PATTERN, text) else None

    def open(self, version: str) -> Bundle:
        """Verify and map one bundle.

        Raises
        ------
        ShelfError
            No such version here.
        BundleError
            The bundle is refused.
        """
        folder = self._place(version)
        bundle = Bundle.open(folder, trusted=self._trusted)
        if bundle.manifest.issuer_id != self.issuer_id:
            raise BundleError("wrong_issuer", f"{version}: was made for another issuer")
        return bundle

    def current(self) -> Bundle | None:
        """The bundle that serves, or None when there is none."""
        version = self.current_version()
        return None if version is None else self.open(version)

    def entries(self) -> list[Entry]:
        """Every bundle with what its manifest says, oldest first; files are not hashed."""
        current, pinned = self.current_version(), self.is_pinned()
        return [self._entry(version, current, pinned=pinned) for version in self.versions()]

    def _entry(self, version: str, current: str | None, *, pinned: bool) -> Entry:
        is_current = version == current
        try:
            manifest = Manifest.read(self._versions / version)
        except BundleError as error:
            return Entry(version, None, is_current, is_current and pinned, str(error))
        return Entry(version, manifest, is_current, is_current and pinned, None)

    def next_sequence(self) -> int:
        """Number of the next publication: one above the largest on the shelf."""
        return 1 + max((int(v.split("-")[1]) for v in self.versions()), default=0)

    def publish(
        self,
        write: Callable[[Path, int], Manifest],
        *,
        check: Callable[[Bundle], None] = lambda _: None,
        signing_key: Ed25519PrivateKey | None = None,
    ) -> Bundle:
        """Publish a bundle whole or not at all.

        Temporary folder → files and manifest by ``write(folder, sequence)`` → fsync → rename →
        open, verify, ``check`` → swap of the pointer. On any failure the shelf is as before.

        Parameters
        ----------
        write : callable
            Writes the files and seals them; returns the manifest.
        check : callable
            Raises to refuse the opened bundle.
        signing_key : Ed25519PrivateKey, optional

        Raises
        ------
        ShelfError
            Another publication holds the shelf.
        """
        with self._alone():
            self._sweep()
            draft = self._versions / f"{TEMPORARY}{uuid.uuid4().hex}"
            draft.mkdir(parents=True)
            try:
                place = self._settle(draft, write(draft, self.next_sequence()), signing_key)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            try:
                bundle = self.open(place.name)
                check(bundle)
                if not self.is_pinned():
                    self._point(place.name)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
        return bundle

    def _settle(self, draft: Path, manifest: Manifest, key: Ed25519PrivateKey | None) -> Path:
        """Sign, fsync and rename a finished draft to its version."""
        if key is not None:
            (draft / SIGNATURE).write_bytes(key.sign((draft / MANIFEST).read_bytes()))
        for path in draft.iterdir():
            force(path)
        force(draft)
        place = self._versions / manifest.version
        draft.rename(place)
        force(self._versions)
        return place

    def promote(self, version: str) -> Bundle:
        """Let a version serve, after it has been verified."""
        with self._alone():
            bundle = self.open(version)
            self._point(version)
        return bundle

    def rollback(self) -> Bundle:
        """Let the version that served before the current one serve again.

        Raises
        ------
        ShelfError
            There is none that still stands on the shelf.
        """
        with self._alone():
            earlier = self._before_current()
            if earlier is None:
                raise ShelfError(f"{self.issuer_id}: no earlier version to roll back to")
            bundle = self.open(earlier)
            self._write("CURRENT", earlier)
            self._write("POINTERS", "\n".join(self._trail()[: self._trail_end(earlier)]))
        return bundle

    def moves_since(self, version: str | None) -> list[str]:
        """Versions that CURRENT came to name after it named this one, oldest first.

        One that was rolled back from meanwhile is not among them; for None, and for a version that
        was itself rolled back from, only where CURRENT stands now.
        """
        current, trail = self.current_version(), self._trail()
        if current is None or current == version:
            return []
        if version not in trail or trail[-1] != current:
            return [current]
        return trail[len(trail) - trail[::-1].index(version) :]

    def _before_current(self) -> str | None:
        current, standing = self.current_version(), set(self.versions())
        earlier = [v for v in self._trail() if v != current and v in standing]
        return earlier[-1] if earlier else None

    def _trail(self) -> list[str]:
        """Every version CURRENT named and was not rolled back from, oldest first."""
        path = self.folder / "POINTERS"
        return path.read_text("ascii").split() if path.is_file() else []

    def _trail_end(self, version: str) -> int:
        trail = self._trail()
        return len(trail) - trail[::-1].index(version)

    def pin(self) -> str:
        """Keep the current version serving while others publish; returns it."""
        current = self.current_version()
        if current is None:
            raise ShelfError(f"{self.issuer_id}: nothing is published, so nothing can be pinned")
        self._write("PINNED", current)
        return current

    def unpin(self) -> None:
        """Let the next publication serve again."""
        (self.folder / "PINNED").unlink(missing_ok=True)

    def is_pinned(self) -> bool:
        """Whether publications leave CURRENT where it is."""
        return (self.folder / "PINNED").is_file()

    def prune(self, keep: int, *, min_age_seconds: float = MIN_AGE_SECONDS) -> list[str]:
        """Remove old versions and return them; never the current, the one before, or a young one.

        Parameters
        ----------
        keep : int, at least 1    newest versions that stay in any case
        min_age_seconds : float   younger versions stay
        """
        if keep < 1:
            raise ShelfError(f"keep: {keep} must be at least 1")
        with self._alone():
            self._sweep()
            spared = {*self.versions()[-keep:], self.current_version(), self._before_current()}
            old = [v for v in self.versions() if v not in spared and self._age(v) > min_age_seconds]
            for version in old:
                shutil.rmtree(self._versions / version)
        return old

    def _age(self, version: str) -> float:
        return time.time() - (self._versions / version).stat().st_mtime

    def _place(self, version: str) -> Path:
        """Folder of a version; ShelfError for a name or link that leads elsewhere."""
        place = self._versions / version
        named = re.fullmatch(VERSION_PATTERN, version)
        if not named or place.is_symlink() or not place.is_dir():
            raise ShelfError(f"{self.issuer_id}: no such version on the shelf")
        return place

    def _point(self, version: str) -> None:
        """Swap CURRENT and remember that it moved."""
        self._write("POINTERS", "\n".join([*self._trail(), version]))
        self._write("CURRENT", version)

    def _write(self, name: str, text: str) -> None:
        """Replace a small file of the shelf whole."""
        replace_file(self.folder / name, f"{text}\n".encode("ascii"))

    def _sweep(self) -> None:
        """Remove drafts that a killed publication left; only under the lock."""
        if self._versions.is_dir():
            for draft in self._versions.glob(f"{TEMPORARY}*"):
                shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the shelf; the kernel frees it when the process ends, however it ends."""
        self._versions.mkdir(parents=True, exist_ok=True)
        with (self.folder / "LOCK").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ShelfError(
                    f"{self.issuer_id}: another publication holds the shelf; try again when it ends"
                ) from None
            yield
