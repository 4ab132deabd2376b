"""How long is waited, and how soon news is noticed."""

from pydantic import BaseModel, Field


class Patience(BaseModel):
    """How long is waited, and how soon news is noticed."""

    request_budget_ms: int = Field(
        5000,
        ge=250,
        le=60_000,
        description="longest time of one request with all it asks of the stores; a fifth of it for "
        "lists and look-ups, six times as much for imports, reviews and erasures",
    )
    store_timeout_ms: int = Field(
        50, ge=5, le=5000, description="longest wait for one answer of a store, or for a connection"
    )
    write_timeout_ms: int = Field(
        1000,
        ge=5,
        le=30_000,
        description="longest wait until events, activations and erasures are on the store's disk",
    )
    key_poll_seconds: float = Field(
        0.4, gt=0, le=0.8, description="how often a worker asks for new and revoked keys"
    )
    catalog_poll_seconds: float = Field(
        0.5, gt=0, le=1.6, description="how often a worker asks for catalogue changes"
    )
    shelf_poll_seconds: float = Field(
        3.0, gt=0, le=8, description="how often a worker looks for a newly published bundle"
    )
