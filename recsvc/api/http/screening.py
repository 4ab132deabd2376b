"""The one place that keeps card numbers, resident ids and mobile numbers out of the service.

Every address, query, header we keep, and body passes here before anything else looks at it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from embeddings.identifying import Identifying, identifying, may_hold_many_digits
from recsvc.api.http.problems import FieldFault, ProblemError

IDS_OF_PEOPLE = frozenset(("cardholder_id", "cardholder_ids"))
IDS = ("_id", "_ids", "exclude", "placement", "idempotency_key")
PLAIN_NAME = re.compile(r"[A-Za-z_-]{1,40}")
MESSAGES = {
    Identifying.CARD_NUMBER: "Holds a card number; send an id of your own for the cardholder.",
    Identifying.RESIDENT_ID: "Holds a resident id; send an id of your own for the cardholder.",
    Identifying.MOBILE_NUMBER: "Holds a mobile number; send an id of your own instead.",
}
DEEPEST = 64


def found_in_value(value: object) -> Identifying | None:
    """The first number in a JSON value, keys included, that names a person; None without one."""
    return next((found for _, found in _findings(value, "", "", 0)), None)


def refuse_value(value: object, pointer: str = "") -> None:
    """Refuse a decoded JSON value in which a person's number stands.

    Raises
    ------
    ProblemError
        422 with the number's word as its code; the pointer names the field, never the value
    """
    found = faults_in_value(value, pointer)
    if found:
        raise _refusal(found)


def faults_in_value(value: object, pointer: str = "") -> list[FieldFault]:
    """Each field of a decoded JSON value in which a person's number stands, never the number."""
    return [
        FieldFault(pointer=place or "/", code=what.value, message=MESSAGES[what])
        for place, what in _findings(value, "", pointer, 0)
    ]


def refuse_words(words: Iterable[tuple[str, str]], place: str) -> None:
    """Refuse named texts, such as the parameters of an address; raises as `refuse_value`.

    Parameters
    ----------
    words : name and text of each
    place : put before each name in the pointer: path, query or header
    """
    for name, text in words:
        what = _in_text(text, name)
        if what is None:
            what = _in_text(name, "")
        if what is not None:
            pointer = f"{place}/{safe_step(name)}"
            raise _refusal([FieldFault(pointer=pointer, code=what.value, message=MESSAGES[what])])


def safe_step(step: int | str) -> str:
    """A step of the path to a field; what the caller made up is not repeated."""
    if isinstance(step, int):
        return str(step)
    return step if PLAIN_NAME.fullmatch(step) else "?"


def screen(body: bytes, document: object) -> None:
    """Refuse a JSON text, beside what it decodes to, in which a person's number stands.

    Raises
    ------
    ProblemError
        as `refuse_value`
    """
    if may_hold_numbers(body):
        refuse_value(document)


def may_hold_numbers(body: bytes) -> bool:
    """Whether a JSON text needs a closer look: many digits in a row, or escapes that hide them."""
    return b"\\" in body or may_hold_many_digits(body)


def _refusal(faults: list[FieldFault]) -> ProblemError:
    detail = "Numbers that name a person are not taken here; see errors."
    return ProblemError(422, faults[0].code, detail, errors=tuple(faults[:20]))


def _findings(
    value: object, name: str, pointer: str, depth: int
) -> Iterator[tuple[str, Identifying]]:
    """Pointer and kind of each finding, in the order of the value."""
    if isinstance(value, str):
        what = _in_text(value, name)
        if what is not None:
            yield pointer, what
    elif isinstance(value, (int, float)):
        what = identifying(str(value), mobiles=False)
        if what is not None:
            yield pointer, what
    elif depth < DEEPEST:
        yield from _inside(value, name, pointer, depth + 1)


def _inside(
    value: object, name: str, pointer: str, depth: int
) -> Iterator[tuple[str, Identifying]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            below = f"{pointer}/{safe_step(key)}"
            what = _in_text(key, "")
            if what is not None:
                yield below, what
            yield from _findings(part, key, below, depth)
    elif isinstance(value, (list, tuple)):
        for place, part in enumerate(value):
            yield from _findings(part, name, f"{pointer}/{place}", depth)


def _in_text(text: str, name: str) -> Identifying | None:
    """What stands in the text of a field of this name."""
    an_id = name.endswith(IDS) and name not in IDS_OF_PEOPLE
    return identifying(text, mobiles=not an_id)
