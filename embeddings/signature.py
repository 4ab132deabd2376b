"""Who made a bundle: an Ed25519 signature (RFC 8032) over the bytes of its manifest."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from embeddings.errors import BundleError, EmbeddingsError


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Signing key of a PEM file; EmbeddingsError names the file when it holds none."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise EmbeddingsError(f"{path}: no readable PEM private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EmbeddingsError(f"{path}: must be an Ed25519 key")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Verifying key of a PEM file; EmbeddingsError names the file when it holds none."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EmbeddingsError(f"{path}: no readable PEM public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise EmbeddingsError(f"{path}: must be an Ed25519 key")
    return key


def require_signature(
    name: str, manifest: bytes, signature: bytes | None, trusted: Sequence[Ed25519PublicKey]
) -> None:
    """Accept when one trusted key made the signature.

    Raises
    ------
    BundleError
        ``unsigned`` or ``bad_signature``.
    """
    if signature is None:
        raise BundleError("unsigned", f"{name}: no signature, and this service trusts only signed")
    for key in trusted:
        try:
            key.verify(signature, manifest)
        except InvalidSignature:
            continue
        return
    raise BundleError("bad_signature", f"{name}: signed by none of the {len(trusted)} trusted keys")
