"""The order of things in one run."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embeddings.errors import EmbeddingsError
from embeddings.shelf import Shelf
from embeddings.signature import read_private_key
from training import als
from training.errors import BadInputError
from training.matrix import Inputs, Survey, build, open_inputs, spool_contacts, survey
from training.pipeline.assembly import assemble, without_empty
from training.pipeline.request import Request
from training.pipeline.stages import Stages
from training.publication import Imprint, publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    version : str
        Of the published bundle.
    """

    version: str

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return {"version": self.version}

    def sentence(self) -> str:
        """One line for people."""
        return f"published {self.version}"


def run(request: Request, stages: Stages, now: datetime) -> Outcome:
    """Do the whole job; nothing outside the shelf's own protocol is ever half done."""
    shelf, key = _shelf(request)
    with stages.stage("check input"):
        inputs = open_inputs(request.usage, request.catalog, request.events, request.profiles)
    with stages.stage("survey usage"):
        found = survey(inputs, hash_key(request, inputs))
    settings = request.settings
    with stages.stage("build matrix"), spool_contacts(inputs, found) as spool:
        matrix = build(spool, len(found.columns), settings.model.events, as_of_day=found.last_day)
    table = without_empty(matrix, found)
    with stages.stage("fit") as teller:
        factors = als.fit(
            table.matrix.strength, settings.model, request.seed, teller.advance, request.n_threads
        )
    model = assemble(table, factors, found, inputs.catalog)
    with stages.stage("publish"):
        bundle = publish(shelf, model, _imprint(request, inputs, found, now), lambda _: None, key)
    return Outcome(version=bundle.version)


def _imprint(request: Request, inputs: Inputs, found: Survey, now: datetime) -> Imprint:
    settings = request.settings
    return Imprint(
        created_at=now,
        window=found.window,
        as_of_day=found.last_day,
        transactions=found.transactions,
        events=settings.model.events,
        composition=settings.composition,
        parameters={**settings.model.as_document(), "seed": request.seed},
        figures={},
        data_fingerprint=inputs.fingerprint,
        events_through=inputs.events_through,
    )


def _shelf(request: Request) -> tuple[Shelf, Ed25519PrivateKey | None]:
    try:
        key = None if request.signing_key is None else read_private_key(request.signing_key)
        return Shelf(request.shelf, request.issuer_id), key
    except EmbeddingsError as error:
        raise BadInputError(str(error)) from error


def hash_key(request: Request, inputs: Inputs) -> bytes:
    """Key of the vocabularies' hashes.

    The same for the same issuer, seed and input, so that a run can be repeated bit for bit; not
    known before the input is complete, so that nobody can choose ids that collide.
    """
    seal = f"{request.issuer_id}\n{request.seed}\n{inputs.fingerprint}"
    return hashlib.blake2b(seal.encode(), digest_size=16).digest()
