"""A publication is whole or leaves no trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embeddings.bundle import Bundle, seal, write_model
from embeddings.errors import BundleError, ShelfError
from embeddings.manifest import Manifest
from embeddings.shelf import Shelf
from tests.bundles import checkerboard, publish, unsealed


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, "demo")


def trace(shelf: Shelf) -> set[str]:
    """Everything that stands on the shelf, but for its lock."""
    found = (p.relative_to(shelf.folder) for p in shelf.folder.rglob("*"))
    return {str(p) for p in found} - {"LOCK"}


def test_what_was_published_last_serves(shelf: Shelf) -> None:
    first, second = publish(shelf), publish(shelf)

    assert shelf.current_version() == second.version
    assert shelf.versions() == [first.version, second.version]
    assert [entry.is_current for entry in shelf.entries()] == [False, True]
    current = shelf.current()
    assert current
    assert current.version == second.version


def test_an_empty_shelf_has_nothing_current(shelf: Shelf) -> None:
    assert shelf.current_version() is None
    assert shelf.current() is None
    assert shelf.versions() == []


def test_a_failed_write_leaves_no_trace(shelf: Shelf) -> None:
    publish(shelf)
    before = trace(shelf)

    def write(folder: Path, _: int) -> Manifest:
        write_model(folder, checkerboard())
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        shelf.publish(write)

    assert trace(shelf) == before


def test_a_bundle_that_the_check_refuses_leaves_no_trace(shelf: Shelf) -> None:
    publish(shelf)
    before = trace(shelf)

    def write(folder: Path, sequence: int) -> Manifest:
        model = checkerboard()
        write_model(folder, model)
        return seal(folder, unsealed(model, sequence))

    def refuse(_: Bundle) -> None:
        raise BundleError("wrong_answer", "not this one")

    with pytest.raises(BundleError, match="not this one"):
        shelf.publish(write, check=refuse)

    assert trace(shelf) == before


def test_F15_two_publishers_cannot_interleave(shelf: Shelf) -> None:
    def write(folder: Path, sequence: int) -> Manifest:
        with pytest.raises(ShelfError, match="another publication holds the shelf"):
            publish(shelf)
        model = checkerboard()
        write_model(folder, model)
        return seal(folder, unsealed(model, sequence))

    bundle = shelf.publish(write)

    assert shelf.versions() == [bundle.version]


def test_F17_a_killed_publication_is_swept_by_the_next(shelf: Shelf, tmp_path: Path) -> None:
    first = publish(shelf)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from embeddings.bundle import write_model\n"
        "from embeddings.shelf import Shelf\n"
        "from tests.bundles import checkerboard\n"
        "def write(folder, sequence):\n"
        "    write_model(folder, checkerboard())\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Shelf(Path(sys.argv[1]), 'demo').publish(write)\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert killed.returncode == -9
    assert any(p.name.startswith(".tmp-") for p in (shelf.folder / "versions").iterdir())
    assert shelf.current_version() == first.version

    publish(shelf)

    assert not any(p.name.startswith(".tmp-") for p in (shelf.folder / "versions").iterdir())


def test_rolling_back_goes_one_step_at_a_time(shelf: Shelf) -> None:
    first, second, third = publish(shelf), publish(shelf), publish(shelf)

    assert shelf.rollback().version == second.version
    assert shelf.rollback().version == first.version
    with pytest.raises(ShelfError, match="no earlier version"):
        shelf.rollback()
    assert shelf.promote(third.version).version == third.version
    assert shelf.rollback().version == first.version


def test_a_pinned_bundle_serves_on_while_others_publish(shelf: Shelf) -> None:
    first = publish(shelf)
    shelf.pin()

    second = publish(shelf)

    assert shelf.current_version() == first.version
    assert second.version in shelf.versions()
    shelf.unpin()
    assert publish(shelf).version == shelf.current_version()


def test_pruning_spares_the_current_the_one_before_and_the_young(shelf: Shelf) -> None:
    made = [publish(shelf).version for _ in range(4)]
    shelf.promote(made[0])

    assert shelf.prune(1) == []
    assert shelf.prune(1, min_age_seconds=-1) == made[1:3] or shelf.versions() == [
        made[0],
        made[3],
    ]
    assert made[0] in shelf.versions()
    assert made[3] in shelf.versions()


def test_a_damaged_bundle_is_not_promoted(shelf: Shelf) -> None:
    first, second = publish(shelf), publish(shelf)
    (first.folder / "gram.npy").write_bytes(b"")

    with pytest.raises(BundleError):
        shelf.promote(first.version)

    assert shelf.current_version() == second.version


@pytest.mark.parametrize("pointer", [b"", b"20260131", b"../../etc/passwd\n", b"\xff\xfe"])
def test_F14_a_damaged_pointer_points_nowhere(shelf: Shelf, pointer: bytes) -> None:
    publish(shelf)

    (shelf.folder / "CURRENT").write_bytes(pointer)

    assert shelf.current_version() is None


@pytest.mark.parametrize(
    "version", ["../x", "..", "", "/etc", "a\x00b", "20260131T120000Z-000009-00000000"]
)
def test_F45_a_version_that_leads_elsewhere_is_no_version(shelf: Shelf, version: str) -> None:
    publish(shelf)

    with pytest.raises(ShelfError, match="no such version"):
        shelf.open(version)


def test_F45_a_linked_version_is_no_version(shelf: Shelf, tmp_path: Path) -> None:
    bundle = publish(shelf)
    bundle.folder.rename(tmp_path / "elsewhere")
    bundle.folder.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ShelfError, match="no such version"):
        shelf.open(bundle.version)


@pytest.mark.parametrize("issuer", ["", "..", ".", "a/b", "a\n", "é"])
def test_an_issuer_that_is_no_folder_name_is_refused(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(ShelfError, match="issuer_id"):
        Shelf(tmp_path, issuer)


def test_another_issuers_bundle_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    bundle = publish(shelf)
    other = Shelf(tmp_path, "other")
    (other.folder / "versions").mkdir(parents=True)
    bundle.folder.rename(other.folder / "versions" / bundle.version)

    with pytest.raises(BundleError, match="another issuer"):
        other.open(bundle.version)


def test_a_publication_can_be_signed(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    model = checkerboard()

    def write(folder: Path, sequence: int) -> Manifest:
        write_model(folder, model)
        return seal(folder, unsealed(model, sequence))

    bundle = Shelf(tmp_path, "demo").publish(write, signing_key=key)

    assert Shelf(tmp_path, "demo", trusted=[key.public_key()]).open(bundle.version)


def test_moves_of_the_pointer_are_told_since_any_of_its_places(shelf: Shelf) -> None:
    assert shelf.moves_since(None) == []
    a, b, c = (publish(shelf).version for _ in range(3))

    assert shelf.moves_since(None) == [c]
    assert shelf.moves_since(a) == [b, c]
    assert shelf.moves_since(c) == []
    shelf.rollback()
    assert shelf.moves_since(c) == [b]
    assert shelf.moves_since(a) == [b]
    shelf.promote(a)
    assert shelf.moves_since(b) == [a]
