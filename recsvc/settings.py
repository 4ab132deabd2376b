"""Every setting of the service, read once from the environment by whoever assembles it.

This module is the only door to the environment.
"""

import difflib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from recsvc.domain.zones import is_zone

PREFIX = "RECSVC_"
DEFAULT_RATES = (
    ("rec:read", "5000/second"),
    ("events:write", "1000/second"),
    ("catalog:write", "100/second"),
    ("campaigns:write", "100/second"),
    ("audiences:export", "60/minute"),
    ("models:write", "60/minute"),
    ("privacy:admin", "100/second"),
    ("audit:read", "100/second"),
)
RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour)")
DOMAIN = re.compile(r"\.?(?:[a-z0-9_-]{1,63}\.)*(?!\d+\.?$)[a-z0-9-]{1,63}\.?")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class SettingsError(Exception):
    """The environment asks for something the service does not know or cannot do."""


class Settings(BaseSettings):
    """What an operator may choose; each field is `RECSVC_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    shelf: Path = Field(Path("var/shelf"), description="folder where published bundles stand")
    archive: Path = Field(
        Path("var/archive"),
        description="folder where the archiver writes events, a folder an issuer",
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="the cache: serves, rate windows, hot copies"
    )
    durable_redis_url: str = Field(
        "",
        description="the durable store: keys, catalogue, profiles, consent, events; "
        "the same as REDIS_URL unless set",
    )
    trusted_keys: Annotated[tuple[Path, ...], NoDecode] = Field(
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
    rate_limits: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        DEFAULT_RATES,
        description="most requests of one credential for each scope, all workers together, as "
        "scope=number/period, comma-separated; period is second, minute or hour",
    )
    waiting_limit: int = Field(
        32,
        ge=0,
        le=4096,
        description="requests that may wait in a worker beside those being answered; more get 503",
    )
    head_seconds: float = Field(
        5.0, gt=0, le=60, description="time a client gets to send the head of a request"
    )
    retention_days: int = Field(
        180,
        ge=1,
        le=3650,
        description="days after which `recsvc retention run` ends a cardholder's events",
    )
    bind: str = Field("127.0.0.1:8080", description="address and port that gunicorn listens on")
    workers: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=256,
        description="worker processes; one for each core unless set",
    )
    threads: int = Field(8, ge=1, le=256, description="requests one worker answers at a time")
    timezone: str = Field(
        "Asia/Shanghai", description="zone in which weekdays, days and months of terms are counted"
    )
    issuer_timezones: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (),
        description="zone of quiet hours for issuers whose cardholders live elsewhere, as "
        "issuer=zone, comma-separated; a cardholder's own profile comes first",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )
    access_log: bool = Field(
        default=False, description="one log line a request (no query strings, no ids in clear)"
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="signs cursors and serve tokens and keys the pseudonyms in logs; at least "
        "32 characters; made anew at each start unless set",
    )
    write_timeout_ms: int = Field(
        1000,
        ge=5,
        le=30_000,
        description="longest wait until events, activations and erasures are on the store's disk",
    )
    store_timeout_ms: int = Field(
        50, ge=5, le=5000, description="longest wait for one answer of a store, or for a connection"
    )
    request_budget_ms: int = Field(
        5000,
        ge=250,
        le=60_000,
        description="longest time of one request with all it asks of the stores; a fifth of it for "
        "lists and look-ups, six times as much for imports, reviews and erasures",
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
    grace_seconds: int = Field(
        30, ge=1, le=600, description="time that running requests get when the service stops"
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=60,
        description="time between 'not ready' and closing the door, for a balancer to notice",
    )
    max_requests: int = Field(
        50_000, ge=0, description="a worker is replaced after about this many requests; 0 is never"
    )
    metrics_dir: Path | None = Field(
        None, description="folder where workers share their counters; a temporary one unless set"
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1", description="proxies whose X-Forwarded headers are believed, comma-separated"
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="host names that are answered, comma-separated; all unless set"
    )
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="domains that webhooks may lead to, comma-separated, subdomains included; any "
        "unless set, so set it where pushes must not leave a region",
    )
    body_limit_bytes: int = Field(
        256 * 1024, ge=1024, description="largest request body, except for events and imports"
    )
    bulk_body_limit_bytes: int = Field(
        5 * 1024 * 1024, ge=1024, description="largest body of events and of catalogue imports"
    )

    global_holdout_bps: int = Field(
        0, ge=0, le=5000, description="basis points of cardholders whom no campaign ever reaches"
    )
    pushes_per_day: int = Field(
        1, ge=1, le=100, description="most pushes a cardholder gets in 24 hours, on each channel"
    )
    pushes_per_week: int = Field(
        3, ge=1, le=1000, description="most pushes a cardholder gets in 7 days, on each channel"
    )
    min_report: int = Field(
        50, ge=2, le=100_000, description="cardholders below which no count is reported"
    )
    min_export: int = Field(
        500,
        ge=2,
        le=100_000,
        description="cardholders below which no audience is launched or exported",
    )

    @field_validator("trusted_hosts", "trusted_keys", "webhook_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("webhook_hosts")
    @classmethod
    def _plain_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no host name is ever within, so that nobody waits for pushes in vain."""
        if not all(DOMAIN.fullmatch(one.lower()) for one in value):
            raise ValueError(
                "must be plain domains, such as bank.example, which includes its subdomains; "
                "no stars, no https://, no ports, no IP addresses"
            )
        return value

    @field_validator("trusted_hosts")
    @classmethod
    def _plain_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no Host header ever is: then every request would be refused."""
        if any(set(one) & set("*/?@ ") for one in value):
            raise ValueError(
                "must be host names, such as api.bank.example, or .bank.example for that and "
                "all below it; no stars, no https://"
            )
        return value

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _split_rates(cls, value: object) -> object:
        """The rates as shipped, with those that are given in place of theirs."""
        if not isinstance(value, str):
            return value
        rates = dict(DEFAULT_RATES)
        for part in filter(None, map(str.strip, value.split(","))):
            scope, _, rate = part.partition("=")
            if scope not in rates or not RATE.fullmatch(rate):
                raise ValueError(
                    "must be scope=number/period, such as rec:read=5000/second; scopes: "
                    + ", ".join(rates)
                )
            rates[scope] = rate
        return tuple(rates.items())

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError("is no zone of the IANA database, such as Asia/Shanghai")
        return value

    @field_validator("issuer_timezones", mode="before")
    @classmethod
    def _split_zones(cls, value: object) -> object:
        """Issuer and zone of each pair; each issuer once."""
        if not isinstance(value, str):
            return value
        zones: dict[str, str] = {}
        for part in filter(None, map(str.strip, value.split(","))):
            issuer_id, _, name = part.partition("=")
            if not issuer_id or issuer_id in zones or not is_zone(name):
                raise ValueError("must be issuer=zone, each once, such as devon=Europe/London")
            zones[issuer_id] = name
        return tuple(zones.items())

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < 32:
            raise ValueError("has fewer than 32 characters; make one with: openssl rand -hex 32")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment; no dot-files."""
        return init_settings, env_settings

    @property
    def durable_url(self) -> str:
        """Address of the durable store."""
        return self.durable_redis_url or self.redis_url

    @property
    def secret_bytes(self) -> bytes:
        """The signing secret.

        Raises
        ------
        SettingsError
            when none is set: workers that each made one would not believe one another
        """
        if not self.secret.get_secret_value():
            raise SettingsError(
                f"{PREFIX}SECRET: not set; start with `recsvc serve`, which makes one, or set it"
            )
        return self.secret.get_secret_value().encode()


class SettingRow(NamedTuple):
    """One line of the README's table of settings."""

    name: str
    default: str
    meaning: str


def settings_table() -> tuple[SettingRow, ...]:
    """All settings with default and meaning, as the README prints them."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else field.default
        shown = _shown_default(default)
        rows.append(SettingRow(PREFIX + name.upper(), shown, field.description or ""))
    return tuple(rows)


def _shown_default(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple):
        parts = ("=".join(part) if isinstance(part, tuple) else str(part) for part in default)
        return ",".join(parts)
    return str(default).lower() if isinstance(default, bool) else str(default)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; refuse unknown ones.

    Parameters
    ----------
    environ : what to look at for unknown names; the process environment unless given

    Raises
    ------
    SettingsError
        naming the setting, what is wrong with it, and for an unknown one the nearest known name
    """
    _refuse_unknown(os.environ if environ is None else environ)
    try:
        if environ is None:
            return Settings()
        return Settings(**_own(environ))  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }


def _refuse_unknown(environ: Iterable[str]) -> None:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name == f"{PREFIX}DATA":
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{name}: unknown setting{hint} (all of them: recsvc check-config)")


def _explain(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = PREFIX + str(first["loc"][0]).upper()
    return f"{name}: {first['msg'].removeprefix('Value error, ')}"


def serving_environment(settings: Settings) -> dict[str, str]:
    """Environment that gunicorn must be started in: one thread a library, a secret, shared metrics.

    The libraries read their thread counts when they load, so this has to be there before Python
    starts.
    """
    environ = dict(os.environ)
    environ.update(dict.fromkeys(ONE_THREAD, "1"))
    environ.setdefault("PYTHONUNBUFFERED", "1")
    environ.setdefault("MALLOC_ARENA_MAX", "2")
    if not settings.secret.get_secret_value():
        environ[PREFIX + "SECRET"] = secrets.token_hex(32)
    folder = settings.metrics_dir or Path(tempfile.mkdtemp(prefix="recsvc-metrics-"))
    folder.mkdir(parents=True, exist_ok=True)
    environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return environ


def refuse_many_threads(environ: Mapping[str, str] | None = None) -> None:
    """Refuse to serve with more than one thread in the numeric libraries.

    Raises
    ------
    SettingsError
        because a forked worker may hang for ever in its first search (facts about FAISS and fork)
    """
    looked_at = os.environ if environ is None else environ
    wrong = [name for name in ONE_THREAD if looked_at.get(name) != "1"]
    if wrong:
        raise SettingsError(
            f"{', '.join(wrong)}: must be 1 before Python starts, or a worker's search can hang; "
            "start with `recsvc serve`, which sets it"
        )


def metrics_folder() -> str | None:
    """Folder of the shared counters, or None outside a server with several processes."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR") or None
