"""A bundle opens exactly as it was made, or is refused with a reason."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from embeddings.arrays import ARRAYS
from embeddings.bundle import Bundle, write_model
from embeddings.errors import BundleError
from embeddings.manifest import MANIFEST, SIGNATURE
from embeddings.shelf import Shelf
from tests.bundles import checkerboard, publish, written


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(Shelf(tmp_path_factory.mktemp("shelf"), "demo")).folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def refusal(folder: Path) -> BundleError:
    with pytest.raises(BundleError) as raised:
        Bundle.open(folder)
    assert folder.name in str(raised.value)
    return raised.value


def test_a_bundle_opens_as_it_was_made(made: Path) -> None:
    bundle, model = Bundle.open(made), checkerboard()

    for name, array in model.arrays().items():
        np.testing.assert_array_equal(bundle.model.arrays()[name], array)
    assert bundle.model.catalog == model.catalog
    assert bundle.model.labels[0] == model.labels[0]


def test_an_opened_bundle_cannot_be_changed(made: Path) -> None:
    bundle = Bundle.open(made)

    for array in bundle.model.arrays().values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("name", sorted([f"{name}.npy" for name in ARRAYS] + ["catalog.ndjson"]))
def test_F10_a_flipped_byte_in_any_file_is_refused(copy: Path, name: str) -> None:
    raw = bytearray((copy / name).read_bytes())
    raw[-1] ^= 0x40
    (copy / name).write_bytes(raw)

    assert refusal(copy).code == "hash_mismatch"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_F10_any_flipped_byte_of_the_manifest_is_refused_or_harmless(
    made: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    copy = Path(shutil.copytree(made, tmp_path_factory.mktemp("flip") / made.name))
    raw = bytearray((copy / MANIFEST).read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    (copy / MANIFEST).write_bytes(raw)

    try:
        opened = Bundle.open(copy)
    except BundleError:
        return
    assert opened.manifest.files == Bundle.open(made).manifest.files


@pytest.mark.parametrize(
    ("written", "flipped", "named"),
    [
        (b'"regularisation"', b'"segularisation"', "half_step"),
        (b'"event_weights": {', b'"event_weights": {"x": 1,', "event_weights"),
        (b'"composition": {', b'"composition": {"x": 1,', "composition"),
    ],
)
def test_F10_a_word_that_no_rule_of_the_manifest_has_is_named(
    made: Path, tmp_path: Path, written: bytes, flipped: bytes, named: str
) -> None:
    copy = Path(shutil.copytree(made, tmp_path / made.name))
    raw = (copy / MANIFEST).read_bytes()
    assert written in raw
    (copy / MANIFEST).write_bytes(raw.replace(written, flipped))

    with pytest.raises(BundleError, match=named):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: (f / "columns.npy").unlink(), "file_missing"),
        (lambda f: (f / "extra.npy").write_bytes(b""), "file_extra"),
        (lambda f: os.truncate(f / "columns.npy", 100), "truncated"),
        (lambda f: os.truncate(f / "columns.npy", 0), "truncated"),
        (lambda f: (f / MANIFEST).unlink(), "manifest_missing"),
        (lambda f: (f / MANIFEST).write_bytes(b"{"), "manifest_unreadable"),
        (lambda f: (f / MANIFEST).write_bytes(b"[]"), "wrong_format"),
        (lambda f: (f / MANIFEST).write_bytes(b'{"format": 1}'), "manifest_unreadable"),
    ],
)
def test_F10_F11_what_is_damaged_is_refused_with_a_code(
    copy: Path, change: Callable[[Path], None], code: str
) -> None:
    change(copy)

    assert refusal(copy).code == code


def test_another_format_number_says_retrain(copy: Path) -> None:
    document = orjson.loads((copy / MANIFEST).read_bytes())
    (copy / MANIFEST).write_bytes(orjson.dumps({**document, "format": 2}))

    assert "format 2, this code reads 1; retrain" in str(refusal(copy))


def test_F45_a_link_in_place_of_a_file_is_refused(copy: Path, tmp_path: Path) -> None:
    shutil.move(copy / "columns.npy", tmp_path / "elsewhere.npy")
    (copy / "columns.npy").symlink_to(tmp_path / "elsewhere.npy")

    assert refusal(copy).code == "not_a_file"


def sealed_with(folder: Path, name: str, raw: bytes) -> Path:
    """A bundle whose file was replaced before sealing: its hash is right, its content is not."""
    return written(folder, checkerboard(), lambda place: (place / name).write_bytes(raw))


def npy(array: NDArray[Any], path: Path) -> bytes:
    np.save(path, array, allow_pickle=True)
    return path.read_bytes()


def test_F51_objects_are_never_unpickled(tmp_path: Path) -> None:
    raw = npy(np.array([{"a": 1}], object), tmp_path / "o.npy")

    assert refusal(sealed_with(tmp_path, "columns.npy", raw)).code == "array_unreadable"


def test_F51_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    raw = npy(np.zeros((8, 4), np.float32), tmp_path / "a.npy").replace(
        b"(8, 4), }     ", b"(80000000, 4)}"
    )

    assert refusal(sealed_with(tmp_path, "columns.npy", raw)).code in (
        "array_unreadable",
        "wrong_shape",
    )


@pytest.mark.parametrize(
    "array", [np.zeros((8, 5), np.float32), np.zeros((8, 4)), np.zeros(8, np.float32)]
)
def test_F12_another_dimension_or_dtype_is_refused(tmp_path: Path, array: NDArray[Any]) -> None:
    place = sealed_with(tmp_path, "columns.npy", npy(array, tmp_path / "a.npy"))

    assert refusal(place).code == "wrong_shape"


def test_F12_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    raw = npy(np.full((8, 4), np.nan, np.float32), tmp_path / "a.npy")

    assert refusal(sealed_with(tmp_path, "columns.npy", raw)).code == "not_finite"


def test_a_bundle_that_answers_otherwise_than_it_was_made_is_refused(tmp_path: Path) -> None:
    columns = checkerboard().factors.columns[::-1].copy()

    place = sealed_with(tmp_path, "columns.npy", npy(columns, tmp_path / "a.npy"))

    assert refusal(place).code == "wrong_answer"


def test_only_a_bundle_signed_by_a_trusted_key_opens(tmp_path: Path) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    folder = publish(Shelf(tmp_path, "demo")).folder

    with pytest.raises(BundleError, match="no signature"):
        Bundle.open(folder, trusted=[key.public_key()])
    (folder / SIGNATURE).write_bytes(key.sign((folder / MANIFEST).read_bytes()))
    with pytest.raises(BundleError, match="none of the 1 trusted keys"):
        Bundle.open(folder, trusted=[other.public_key()])
    assert Bundle.open(folder, trusted=[other.public_key(), key.public_key()])


def test_each_array_is_handed_over_once_it_is_on_disk(tmp_path: Path) -> None:
    model, on_disk = checkerboard(), []
    write_model(tmp_path, model, written=lambda _: on_disk.append(len(list(tmp_path.iterdir()))))

    assert on_disk == list(range(1, len(model.arrays()) + 1))
