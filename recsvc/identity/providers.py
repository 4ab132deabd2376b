"""Identity providers that the operator trusts, read from one JSON file."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from embeddings.catalog.text import Identifier
from recsvc.settings import read_file

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""Asymmetric ones only: who can check a token must not be able to make one."""
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/\S*)?")
HTTPS = re.compile(r"https://[^\s@/]+(/\S*)?")


class Provider(BaseModel):
    """One provider: what its tokens say of themselves, and where its keys are.

    Parameters
    ----------
    iss, audience : what a token must say in `iss`, and name in `aud`
    issuer_id : the bank whose callers its tokens are
    jwks_url, jwks_file : where its public keys are; exactly one
    algorithms : how it signs
    scopes_claim : claim that lists scopes, as words in a text or as a list
    leeway_seconds : how far its clock may be from ours
    refresh_seconds : pause between two looks at its keys
    ttl_seconds : time for which keys are believed when they can no longer be read
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    iss: Annotated[str, Field(min_length=1, max_length=512)]
    audience: Annotated[str, Field(min_length=1, max_length=512)]
    issuer_id: Identifier
    jwks_url: str | None = None
    jwks_file: Path | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256",)
    scopes_claim: Annotated[str, Field(min_length=1, max_length=64)] = "scope"
    leeway_seconds: Annotated[int, Field(ge=0, le=60)] = 30
    refresh_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300
    ttl_seconds: Annotated[float, Field(ge=1, le=7 * 86_400)] = 3600

    @field_validator("issuer_id")
    @classmethod
    def _names_a_folder(cls, issuer_id: str) -> str:
        if set(issuer_id) == {"."}:
            raise ValueError("must hold more than dots: it names folders too")
        return issuer_id

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("name either jwks_url or jwks_file")
        url = self.jwks_url
        if url is not None and not (HTTPS.fullmatch(url) or LOOPBACK.fullmatch(url)):
            raise ValueError("jwks_url: must be https:// without credentials")
        if self.ttl_seconds < self.refresh_seconds:
            raise ValueError("ttl_seconds: shorter than refresh_seconds, so keys would come and go")
        return self


class ProviderFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: tuple[Provider, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.iss for one in self.providers}) != len(self.providers):
            raise ValueError("providers: two have one iss; a token must have one meaning")
        return self


def read_providers(path: Path | None) -> tuple[Provider, ...]:
    """Providers of a file; none without a file.

    Raises
    ------
    SettingsError
        naming the file and what is wrong in it
    """
    if path is None:
        return ()
    return read_file(path, ProviderFile.model_validate_json).providers
