"""Published bundles of an issuer: list, which serves, promote, roll back."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from embeddings.bundle import Bundle
from embeddings.errors import BundleError, ShelfError
from embeddings.manifest import VERSION_PATTERN
from embeddings.shelf import Entry
from recsvc.api.answers import ModelPage, PointedShape, ServingShape
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import PageQuery, Parameters
from recsvc.domain.errors import ConflictError, NotFoundError
from recsvc.domain.model import ModelSlot
from recsvc.logs import Log
from recsvc.upkeep.shelves import Shelves

Move = Callable[[], Bundle]
READ, WRITE = "rec:read", "models:write"


class VersionPath(Parameters):
    """The version in the address."""

    version: Annotated[str, Field(pattern=VERSION_PATTERN)]


def model_routes(
    gate: Gate,
    *,
    shelves: Shelves,
    slot: ModelSlot,
    cursors: Cursors,
    log: Log,
    body_limit_bytes: int,
) -> Routes:
    """Endpoints of published bundles."""
    routes = Routes("models", gate, body_limit_bytes)

    def show(caller: Caller, query: PageQuery) -> Any:  # noqa: ANN401
        """List published bundles, oldest first, as their manifests tell of them."""
        after = cursors.open(caller.issuer_id, "models", query.cursor) or ""
        entries = [one for one in shelves.of(caller.issuer_id).entries() if one.version > after]
        shown, cursor = cursors.page(
            caller.issuer_id, "models", entries, query.limit, lambda entry: entry.version
        )
        return {"items": [model_document(entry) for entry in shown], "next_cursor": cursor}

    def current(caller: Caller) -> Any:  # noqa: ANN401
        """Tell which version is published, and which one this worker serves."""
        model = slot.current(caller.issuer_id)
        return {
            "version": shelves.of(caller.issuer_id).current_version(),
            "serving": model.model_version if model else None,
            "catalog_version": model.catalog_version if model else None,
        }

    def promote(caller: Caller, path: VersionPath) -> Any:  # noqa: ANN401
        """Let a version serve; every worker takes it up within ten seconds."""
        shelf = shelves.of(caller.issuer_id)
        if path.version not in shelf.versions():
            raise NotFoundError
        return moved(caller, lambda: shelf.promote(path.version), "model_promoted")

    def roll_back(caller: Caller) -> Any:  # noqa: ANN401
        """Let the version before the current one serve again."""
        return moved(caller, shelves.of(caller.issuer_id).rollback, "model_rolled_back")

    def moved(caller: Caller, move: Move, event: str) -> dict[str, str]:
        version = _moved_to(move)
        log.info(event, issuer_id=caller.issuer_id, version=version, by=caller.credential_id)
        return {"version": version, "status": "current"}

    at, pointed = "/v1/models", {200: PointedShape}
    routes.add("GET", at, show, scope=READ, answers={200: ModelPage})
    routes.add("GET", f"{at}/current", current, scope=READ, answers={200: ServingShape})
    routes.add(
        "POST", f"{at}/<string:version>:promote", promote, scope=WRITE, answers=pointed, more=(409,)
    )
    routes.add("POST", f"{at}:rollback", roll_back, scope=WRITE, answers=pointed, more=(409,))
    return routes


def _moved_to(move: Move) -> str:
    """Version that a move of the pointer led to.

    Raises
    ------
    ConflictError
        ``model_refused`` for a bundle that does not open, ``shelf_refused`` for a shelf that is
        held by a publication, has nothing earlier, or cannot be written
    """
    try:
        bundle = move()
    except BundleError as error:
        raise ConflictError("model_refused", f"The bundle is refused: {error.code}.") from None
    except ShelfError as error:
        raise ConflictError("shelf_refused", f"The shelf refuses; {error}.") from None
    except OSError:
        raise ConflictError("shelf_refused", "The shelf cannot be written.") from None
    return bundle.version


def model_document(entry: Entry) -> dict[str, Any]:
    """What is shown of a bundle."""
    manifest = entry.manifest
    return {
        "version": entry.version,
        "created_at": manifest.created_at if manifest else None,
        "is_current": entry.is_current,
        "is_pinned": entry.is_pinned,
        "fault": "unreadable" if entry.fault else None,
        "counts": manifest.counts.model_dump() if manifest else None,
        "figures": manifest.figures if manifest else None,
        "factor_hash": manifest.factor_hash if manifest else None,
    }
