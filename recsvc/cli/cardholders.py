"""``recsvc cardholders import``."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from pydantic import ValidationError

from embeddings.catalog.file import MAX_LINE_BYTES, describe, lines_of
from embeddings.errors import KeyTwiceError, NotJsonError
from embeddings.strict_json import read_strictly
from recsvc.api.cardholders import CardholderLine, consent_of, profile_of
from recsvc.api.http.problems import ProblemError
from recsvc.api.http.screening import found_in_value
from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.domain.cardholder import Consent, Profile
from recsvc.domain.errors import InvalidError

BATCH = 500
Entry = tuple[str, Profile, Consent | None]


@click.group("cardholders")
def command() -> None:
    """Bring in what the issuer tells of its cardholders."""


@command.command("import")
@click.option("--issuer", required=True, help="whose cardholders they are")
@ACTOR
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def bring_in(*, issuer: str, file: Path, actor: str | None, as_json: bool) -> None:
    """Import profiles and consents: NDJSON, one cardholder a line.

    A line holds what PUT /v1/cardholders/{id} takes, the cardholder_id and, where there is one,
    the consent. The whole file is checked first; with a bad line nothing is written.
    A consent or withdrawal that was recorded later than the file's stands.
    """
    check_issuer(issuer)
    now = datetime.now(UTC)
    checked = sum(1 for _ in entries_of(file, now))
    with stores_of_settings() as stores:
        tell(stores, issuer, "cardholders_imported", actor=actor, cardholders=checked)
        lines, newer = entries_of(file, now), 0
        while batch := list(itertools.islice(lines, BATCH)):
            newer += stores.cardholders.put_many(issuer, batch)
    if as_json:
        click.echo(orjson.dumps({"imported": checked, "newer_consents_kept": newer}))
    else:
        kept = f"; {newer} consents on record are newer and stand" if newer else ""
        click.echo(f"imported {checked} cardholders{kept}")


def entries_of(file: Path, now: datetime) -> Iterator[Entry]:
    """Cardholders of a file; ClickException names the line and the field that is wrong."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines_of(lines), start=1):
            if line.strip():
                yield _entry(line, f"{file}: line {number}", now)


def _entry(line: bytes, where: str, now: datetime) -> Entry:
    if len(line) > MAX_LINE_BYTES:
        raise click.ClickException(f"{where}: longer than {MAX_LINE_BYTES} bytes")
    try:
        found = found_in_value(read_strictly(line))
        read = CardholderLine.model_validate_json(line)
        if found is not None:
            raise click.ClickException(f"{where}: holds what must not come in: {found}")
        consent = None if read.consent is None else consent_of(read.consent, now)
    except KeyTwiceError:
        raise click.ClickException(f"{where}: a key comes twice in one object") from None
    except NotJsonError as error:
        raise click.ClickException(f"{where}: not one JSON value: {error}") from None
    except ProblemError as error:
        raise click.ClickException(f"{where}: {error.detail}") from None
    except ValidationError as error:
        raise click.ClickException(f"{where}: {describe(error)}") from None
    except InvalidError as error:
        raise click.ClickException(f"{where}: consent: {error}") from None
    return read.cardholder_id, profile_of(read), consent
