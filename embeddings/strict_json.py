"""JSON texts that every reader reads in one way."""

import json
from typing import Any

from embeddings.errors import KeyTwiceError, NotJsonError


def read_strictly(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that cannot be read in two ways.

    Raises
    ------
    KeyTwiceError
        A key comes twice in one object; of two budgets nobody could say which one counts.
    NotJsonError
        No UTF-8, a byte order mark, NaN or Infinity, anything before or after the one value,
        nesting or an integer beyond what Python reads; the message says which.
    """
    try:
        return _DECODER.decode(text.decode())
    except json.JSONDecodeError as error:
        raise NotJsonError(error.msg) from None
    except UnicodeDecodeError:
        raise NotJsonError("not in UTF-8") from None
    except RecursionError:
        raise NotJsonError("nested beyond reason") from None
    except ValueError:
        raise NotJsonError("an integer of more digits than are read") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise KeyTwiceError
    return read


def _no_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)


_DECODER = json.JSONDecoder(object_pairs_hook=_each_once, parse_constant=_no_constant)
