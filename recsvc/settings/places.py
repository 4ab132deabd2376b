"""Where things stand: folders, files and stores."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from recsvc.settings.kinds import Files, StoreAddress


class Places(BaseModel):
    """Where things stand: folders, files and stores."""

    shelf: Path = Field(Path("var/shelf"), description="folder where published bundles stand")
    archive: Path = Field(
        Path("var/archive"),
        description="folder where the archiver writes events, a folder an issuer",
    )
    redis_url: StoreAddress = Field(
        "redis://127.0.0.1:6379/0", description="the cache: serves, rate windows, hot copies"
    )
    durable_redis_url: Literal[""] | StoreAddress = Field(
        "",
        description="the durable store: keys, catalogue, profiles, consent, events; "
        "the same as REDIS_URL unless set",
    )
    trusted_keys: Files = Field(
        (),
        description="PEM files of Ed25519 public keys, comma-separated; when set, only bundles "
        "signed by one of them are served",
    )
    identity_providers: Path | None = Field(
        None,
        description="JSON file of identity providers whose signed tokens are taken beside keys",
    )
    rankings: Path | None = Field(
        None,
        description="TOML file of the rankings: parameters, an experiment between several, "
        "exploration; the shipped one unless set",
    )
    metrics_dir: Path | None = Field(
        None, description="folder where workers share their counters; a temporary one unless set"
    )

    @property
    def durable_url(self) -> str:
        """Address of the durable store."""
        return self.durable_redis_url or self.redis_url
