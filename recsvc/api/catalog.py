"""Benefits and offers: put, get, list, delete, and a whole catalogue at once."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from embeddings.catalog import Item
from embeddings.catalog.file import MAX_LINE_BYTES
from embeddings.catalog.item import Benefit, ItemKind, MerchantOffer, item_document, parse_item
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.json_text import read_json
from recsvc.api.http.parsing import faults_of, refuse
from recsvc.api.http.problems import FieldFault, ProblemError
from recsvc.api.http.routing import NDJSON, Rendered, Routes
from recsvc.api.http.schemas import Headers, ItemPath, PageQuery
from recsvc.api.http.screening import screen
from recsvc.stores.catalog import CatalogStore, Written

ETAG = re.compile(r'"([0-9]{1,15})"')
READ, WRITE = "rec:read", "catalog:write"


class WriteHeaders(Headers):
    """On which state of the item a write insists."""

    if_match: Annotated[
        str | None, Field(max_length=32, description='the ETag that was read, or "*"')
    ] = None
    if_none_match: Annotated[
        str | None, Field(pattern=r"^\*$", description='"*": only when there is none yet')
    ] = None


class DeleteHeaders(Headers):
    """On which state of the item a deletion insists."""

    if_match: Annotated[
        str | None, Field(max_length=32, description='the ETag that was read, or "*"')
    ] = None


class BenefitPage(BaseModel):
    """Benefits in order of their ids."""

    items: list[Benefit]
    next_cursor: str | None


class OfferPage(BaseModel):
    """Merchant offers in order of their ids."""

    items: list[MerchantOffer]
    next_cursor: str | None


class LineResult(BaseModel):
    """What became of one line of an import."""

    line: int
    item_id: str | None
    status: str = Field(description="created, updated, unchanged or rejected")
    code: str | None = None
    errors: list[FieldFault] = []


class ImportAnswer(BaseModel):
    """What became of an import; lines that are not rejected are in the catalogue."""

    accepted: int
    rejected: int
    results: list[LineResult]


MODELS: dict[ItemKind, tuple[type[BaseModel], type[BaseModel]]] = {
    ItemKind.BENEFIT: (Benefit, BenefitPage),
    ItemKind.MERCHANT_OFFER: (MerchantOffer, OfferPage),
}


def catalog_routes(
    gate: Gate,
    store: CatalogStore,
    cursors: Cursors,
    body_limit_bytes: int,
    bulk_body_limit_bytes: int,
) -> Routes:
    """Endpoints of the catalogue."""
    routes = Routes("catalog", gate, body_limit_bytes)
    desk = _Desk(store, cursors)
    _add_kind(routes, desk, "benefits", ItemKind.BENEFIT)
    _add_kind(routes, desk, "offers", ItemKind.MERCHANT_OFFER)

    def import_catalog(caller: Caller, raw: bytes) -> Any:  # noqa: ANN401
        """Create or replace many items: NDJSON, one benefit or merchant offer a line."""
        return desk.take(caller, raw)

    routes.add(
        "POST",
        "/v1/catalog:import",
        import_catalog,
        scope=WRITE,
        answers={200: ImportAnswer},
        budget=Budget.LONG,
        body_limit_bytes=bulk_body_limit_bytes,
        raw_media_type=NDJSON,
    )
    return routes


def _add_kind(routes: Routes, desk: "_Desk", name: str, kind: ItemKind) -> None:
    """The same five endpoints for either kind of item."""
    model, page_model = MODELS[kind]

    def put(caller: Caller, path: ItemPath, header: WriteHeaders, body: Item) -> Any:  # noqa: ANN401
        """Create or replace an item; live in every worker within two seconds."""
        return desk.put(caller, path, header, body)

    def get(caller: Caller, path: ItemPath) -> Any:  # noqa: ANN401
        """Read an item; its ETag goes into If-Match of a later write."""
        return desk.get(caller, path, kind)

    def delete(caller: Caller, path: ItemPath, header: DeleteHeaders) -> Any:  # noqa: ANN401
        """Delete an item; gone from every worker within two seconds."""
        return desk.delete(caller, path, header, kind)

    def show(caller: Caller, query: PageQuery) -> Any:  # noqa: ANN401
        """List items in order of their ids."""
        return desk.page(caller, query, kind)

    put.__annotations__["body"] = model
    one = f"/v1/{name}/<item_id>"
    routes.add("PUT", one, put, scope=WRITE, answers={200: model, 201: model}, more=(409, 412))
    routes.add("GET", one, get, scope=READ, answers={200: model})
    routes.add("DELETE", one, delete, scope=WRITE, answers={204: None}, more=(412,))
    routes.add("GET", f"/v1/{name}", show, scope=READ, answers={200: page_model})


class _Desk:
    """What the two kinds of items have in common."""

    def __init__(self, store: CatalogStore, cursors: Cursors) -> None:
        self._store = store
        self._cursors = cursors

    def put(self, caller: Caller, path: ItemPath, header: WriteHeaders, item: Item) -> Rendered:
        if item.item_id != path.item_id:
            raise refuse((_fault("/item_id", "differs", "Differs from the id in the address."),))
        expected = "-" if header.if_none_match else _expected(header.if_match)
        written, revision = self._store.put(caller.issuer_id, item, expected=expected)
        status = 201 if written is Written.CREATED else 200
        return Rendered(item_document(item), status, {"ETag": f'"{revision}"'})

    def get(self, caller: Caller, path: ItemPath, kind: ItemKind) -> Rendered:
        found = self._store.get(caller.issuer_id, path.item_id, kind)
        return Rendered(item_document(found.item), 200, {"ETag": f'"{found.revision}"'})

    def delete(
        self, caller: Caller, path: ItemPath, header: DeleteHeaders, kind: ItemKind
    ) -> Rendered:
        expected = _expected(header.if_match)
        self._store.delete(caller.issuer_id, path.item_id, kind, expected=expected)
        return Rendered(None, 204)

    def page(self, caller: Caller, query: PageQuery, kind: ItemKind) -> dict[str, Any]:
        after = self._cursors.open(caller.issuer_id, kind.value, query.cursor)
        found = self._store.page(caller.issuer_id, kind, after=after, limit=query.limit + 1)
        shown, cursor = self._cursors.page(
            caller.issuer_id, kind.value, found, query.limit, lambda one: one.item.item_id
        )
        return {"items": [item_document(one.item) for one in shown], "next_cursor": cursor}

    def take(self, caller: Caller, raw: bytes) -> dict[str, Any]:
        lines = dict(read_lines(raw))
        items = [item for item in lines.values() if not isinstance(item, LineResult)]
        written = iter(self._store.put_many(caller.issuer_id, items))
        results = [
            one if isinstance(one, LineResult) else _line_result(number, one.item_id, next(written))
            for number, one in lines.items()
        ]
        rejected = sum(result.status == "rejected" for result in results)
        return {
            "accepted": len(results) - rejected,
            "rejected": rejected,
            "results": [result.model_dump() for result in results],
        }


def _expected(if_match: str | None) -> str:
    """The store's word for an If-Match header; 422 unless it is an ETag of ours."""
    if if_match is None or if_match == "*":
        return if_match or ""
    found = ETAG.fullmatch(if_match)
    if found is None:
        raise refuse((_fault("header/if_match", "bad_etag", 'Send the ETag as read, or "*".'),))
    return found[1]


def _fault(pointer: str, code: str, message: str) -> FieldFault:
    return FieldFault(pointer=pointer, code=code, message=message)


def read_lines(raw: bytes) -> Iterator[tuple[int, Item | LineResult]]:
    """Number and item of each line that is not blank, or the reason why it is none."""
    seen: set[str] = set()
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        item = _read_line(number, line)
        if not isinstance(item, LineResult) and item.item_id in seen:
            item = _rejected(number, "duplicate_item", item_id=item.item_id)
        if not isinstance(item, LineResult):
            seen.add(item.item_id)
        yield number, item


def _read_line(number: int, line: bytes) -> Item | LineResult:
    if len(line) > MAX_LINE_BYTES:
        return _rejected(number, "line_too_long")
    try:
        document = read_json(line)
        screen(line, document)
        return parse_item(orjson.loads(line))
    except ProblemError as error:
        return _rejected(number, error.code)
    except orjson.JSONDecodeError:
        return _rejected(number, "not_json")
    except ValidationError as error:
        return _rejected(number, "invalid_request", errors=list(_untagged(faults_of(error))))


def _untagged(faults: tuple[FieldFault, ...]) -> Iterator[FieldFault]:
    """Faults whose pointers leave out the kind by which the item's model was chosen."""
    for fault in faults:
        pointer = re.sub(r"^/(benefit|merchant_offer)(?=/|$)", "", fault.pointer)
        yield fault.model_copy(update={"pointer": pointer})


def _rejected(
    number: int, code: str, *, item_id: str | None = None, errors: list[FieldFault] | None = None
) -> LineResult:
    return LineResult(
        line=number, item_id=item_id, status="rejected", code=code, errors=errors or []
    )


def _line_result(number: int, item_id: str, written: tuple[Written, int]) -> LineResult:
    if written[0] is Written.KIND_CONFLICT:
        return _rejected(number, "kind_conflict", item_id=item_id)
    return LineResult(line=number, item_id=item_id, status=written[0].value)
