"""JSON texts of callers, and what is answered to one that is none or may be read in two ways."""

from typing import Any

from embeddings.errors import KeyTwiceError, NotJsonError
from embeddings.strict_json import read_strictly
from recsvc.api.http.problems import ProblemError

BLANKS = b" \t\r\n"


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that cannot be read in two ways.

    Raises
    ------
    ProblemError
        400 for bytes that are not UTF-8, a byte order mark, NaN or Infinity, a key that comes
        twice in one object, nesting or numbers beyond reason
    """
    try:
        return read_strictly(body)
    except KeyTwiceError:
        raise ProblemError(400, "duplicate_key", "A key comes twice in one object.") from None
    except NotJsonError:
        raise not_json() from None


def not_json() -> ProblemError:
    """The error for bytes that are no JSON text."""
    return ProblemError(400, "not_json", "The body is not one JSON value in UTF-8.")


def has_keys_once(body: bytes, keys: int) -> bool:
    """Whether a JSON text has just so many keys, as is known of what was read from it.

    Quick, and sure when it says yes: then no key came twice, as the second would have taken the
    place of the first. A text that begins with a colon makes it say no.

    Parameters
    ----------
    body : one JSON value
    keys : number of keys in all objects of what was read from it
    """
    return body.translate(None, BLANKS).count(b'":') == keys
