"""Kinds of settings that are more than a number or a word: read from text, checked, explained."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from recsvc.domain.zones import is_zone

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
LISTENING = re.compile(r"(?:unix:|fd://).+|(?:tcp://)?[^/]*:([0-9]{1,5})")
DOMAIN = re.compile(r"\.?(?:[a-z0-9_-]{1,63}\.)*(?!\d+\.?$)[a-z0-9-]{1,63}\.?")


def _split(value: object) -> object:
    """The parts of a text between commas."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _plain_domains(value: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what no host name is ever within, so that nobody waits for pushes in vain."""
    if not all(DOMAIN.fullmatch(one.lower()) for one in value):
        raise ValueError(
            "must be plain domains, such as bank.example, which includes its subdomains; "
            "no stars, no https://, no ports, no IP addresses"
        )
    return value


def _plain_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what no Host header ever is: then every request would be refused."""
    if any(set(one) & set("*/?@ ") for one in value):
        raise ValueError(
            "must be host names, such as api.bank.example, or .bank.example for that and "
            "all below it; no stars, no https://"
        )
    return value


def _rates(value: object) -> object:
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


def _known_zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("is no zone of the IANA database, such as Asia/Shanghai")
    return value


def _zones(value: object) -> object:
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


def _store_address(value: str) -> str:
    """Refuse what the store's client would refuse only in each worker, again and again."""
    try:
        parts = urlsplit(value)
        is_host = parts.scheme in ("redis", "rediss") and bool(parts.hostname)
        is_address = is_host and parts.port != 0 and int(parts.path.strip("/") or 0) >= 0
    except ValueError:
        is_address = False
    if not is_address and not value.startswith("unix:///"):
        raise ValueError(
            "must be redis://host:port/database, with rediss:// for TLS, or unix:///path"
        )
    return value


def _listening(value: str) -> str:
    found = LISTENING.fullmatch(value)
    if found is None or int(found[1] or 0) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:8080")
    return value


def _proxies(value: str) -> str:
    """Refuse what gunicorn would refuse without naming the setting."""
    for one in filter(None, map(str.strip, value.split(","))):
        try:
            _ = one == "*" or ip_network(one)
        except ValueError:
            raise ValueError(
                "must be IP addresses or networks, comma-separated, or * for any"
            ) from None
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and len(value.get_secret_value()) < 32:
        raise ValueError("has fewer than 32 characters; make one with: openssl rand -hex 32")
    return value


Pairs = tuple[tuple[str, str], ...]
Files = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_plain_hosts)]
Domains = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_plain_domains)
]
Rates = Annotated[Pairs, NoDecode, BeforeValidator(_rates)]
IssuerZones = Annotated[Pairs, NoDecode, BeforeValidator(_zones)]
StoreAddress = Annotated[str, AfterValidator(_store_address)]
ListeningAddress = Annotated[str, AfterValidator(_listening)]
Proxies = Annotated[str, AfterValidator(_proxies)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
