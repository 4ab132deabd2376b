"""What can be wrong with an embedding space, each with a message that says what to do next."""


class EmbeddingsError(Exception):
    """Root of all errors of this room."""


class NotJsonError(EmbeddingsError):
    """Bytes that are no JSON text; the message says why."""


class KeyTwiceError(EmbeddingsError):
    """A key comes twice in one JSON object."""


class CatalogError(EmbeddingsError):
    """A catalogue is not usable; the message names the line, the field and the fault."""


class BundleError(EmbeddingsError):
    """A bundle is refused: damaged, of another format, unsigned or unlike its manifest.

    Parameters
    ----------
    code : str
        One word for metrics and logs, e.g. ``hash_mismatch``.
    message : str
        Names the bundle, the file, what was found and what was expected.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ShelfError(EmbeddingsError):
    """The shelf refuses: a publication in progress, an unknown version, a pinned bundle."""
