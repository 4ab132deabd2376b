"""Models that several resources share: ids, paths, pages."""

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recsvc.api.http.json_text import read_json
from recsvc.api.http.screening import screen

ID_PATTERN = "^[A-Za-z0-9._~-]{1,128}$"
OutsideId = Annotated[str, Field(pattern=ID_PATTERN)]
DIGITS = re.compile(r"-?[0-9]{1,15}")


class Body(BaseModel):
    """A request body: unknown fields refused, no value turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @classmethod
    def of_json(cls, body: bytes) -> Self:
        """Body of a JSON text.

        Raises
        ------
        ProblemError
            400 when it can be read in two ways, 422 for numbers that name a person
        ValidationError
            for wrong fields
        """
        screen(body, read_json(body))
        return cls.model_validate_json(body)


class Parameters(BaseModel):
    """Path, query or header parameters, which arrive as text; unknown ones refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Headers(BaseModel):
    """Headers that a view reads; there are always others."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def whole_number(text: object) -> object:
    """A number written in plain digits; anything else is left for the type to refuse."""
    if isinstance(text, str):
        return int(text) if DIGITS.fullmatch(text) else {}
    return text


def yes_or_no(text: object) -> object:
    """`true` and `false` as such; anything else is left for the type to refuse."""
    known: dict[Any, bool] = {"true": True, "false": False}
    return known.get(text, {}) if isinstance(text, str) else text


WHOLE_NUMBER = BeforeValidator(whole_number)
"""Comes after the bounds of an int parameter, so that the document tells them."""
YES_OR_NO = BeforeValidator(yes_or_no)


class CardholderPath(Parameters):
    """The cardholder in the address."""

    cardholder_id: OutsideId


class ItemPath(Parameters):
    """The item in the address."""

    item_id: OutsideId


class CardholderItemPath(Parameters):
    """The cardholder and the item in the address."""

    cardholder_id: OutsideId
    item_id: OutsideId


class PageQuery(Parameters):
    """Which page of a list."""

    limit: Annotated[
        int, Field(ge=1, le=200, description="most rows of this page"), WHOLE_NUMBER
    ] = 50
    cursor: Annotated[
        str | None, Field(max_length=512, description="`next_cursor` of the page before")
    ] = None
