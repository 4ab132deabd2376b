"""Settings: read strictly, explained, never shown when secret."""

import json
from pathlib import Path

import pytest

from recsvc.cli.check_config import shown_values
from recsvc.settings import (
    PREFIX,
    Settings,
    SettingsError,
    read_settings,
    refuse_many_threads,
    serving_environment,
    settings_table,
)
from tests.service import run_command, settings


def test_nothing_set_is_what_the_contract_says() -> None:
    chosen = read_settings({})

    assert (chosen.shelf, chosen.bind) == (Path("var/shelf"), "127.0.0.1:8080")
    assert chosen.durable_url == chosen.redis_url


def test_an_unknown_setting_is_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(
        SettingsError, match=r"RECSVC_REDISURL: unknown.*did you mean RECSVC_REDIS_URL"
    ):
        read_settings({"RECSVC_REDISURL": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "0"), ("WORKERS", "many"), ("THREADS", "1000"), ("LOG_LEVEL", "loud"),
        ("SECRET", "short"), ("TIMEZONE", "Mars/Olympus"), ("TIMEZONE", "Africa"),
        ("ISSUER_TIMEZONES", "demo=Mars/Base"), ("ISSUER_TIMEZONES", "demo=UTC,demo=UTC"),
        ("CATALOG_POLL_SECONDS", "3"),
        ("KEY_POLL_SECONDS", "1"), ("RATE_LIMITS", "rec:read=fast"), ("RATE_LIMITS", "x=1/second"),
        ("SHELF_POLL_SECONDS", "60"), ("STORE_TIMEOUT_MS", "fifty"),
        ("WEBHOOK_HOSTS", "*.bank.example"), ("WEBHOOK_HOSTS", "bank.example,https://a.example"),
        ("WEBHOOK_HOSTS", "a.example:8443"), ("WEBHOOK_HOSTS", "10.0.0.1"),
        ("WEBHOOK_HOSTS", ".."), ("TRUSTED_HOSTS", "*.bank.example"),
        ("TRUSTED_HOSTS", "https://bank.example"),
        ("REDIS_URL", "store:6379"), ("REDIS_URL", ""), ("REDIS_URL", "http://store:6379/0"),
        ("REDIS_URL", "redis:///0"), ("REDIS_URL", "redis://store:70000/0"),
        ("REDIS_URL", "redis://u:hunter2@store:port/0"), ("REDIS_URL", "redis://store/zero"),
        ("DURABLE_REDIS_URL", "store"), ("BIND", "localhost"), ("BIND", "127.0.0.1:65536"),
        ("BIND", "http://127.0.0.1:80/"), ("FORWARDED_ALLOW_IPS", "10.0.0.1,proxy"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({PREFIX + name: value})

    assert str(caught.value).startswith(f"{PREFIX}{name}: ")
    assert value in ("", "0") or value not in str(caught.value).removeprefix(f"{PREFIX}{name}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "rediss://u:p@store.example:6380/3"), ("REDIS_URL", "redis://store"),
        ("REDIS_URL", "redis://[::1]:6379/0?protocol=3"), ("REDIS_URL", "unix:///run/valkey.sock"),
        ("DURABLE_REDIS_URL", ""), ("BIND", "[::]:8080"), ("BIND", ":0"), ("BIND", "unix:/run/x"),
        ("BIND", "fd://3"), ("FORWARDED_ALLOW_IPS", "*"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/8, fd00::1"),
    ],
)  # fmt: skip
def test_addresses_are_taken_in_every_form_that_works(name: str, value: str) -> None:
    assert getattr(read_settings({PREFIX + name: value}), name.lower()) == value


def test_each_issuer_may_have_a_zone_of_its_own() -> None:
    chosen = read_settings({"RECSVC_ISSUER_TIMEZONES": "demo=Asia/Shanghai, devon=Europe/London"})

    assert dict(chosen.issuer_timezones) == {"demo": "Asia/Shanghai", "devon": "Europe/London"}


def test_lists_are_written_with_commas() -> None:
    assert read_settings({"RECSVC_TRUSTED_HOSTS": "a.example, b.example"}).trusted_hosts == (
        "a.example",
        "b.example",
    )


def test_domains_for_webhooks_may_begin_or_end_with_a_dot_and_have_capitals() -> None:
    chosen = read_settings({"RECSVC_WEBHOOK_HOSTS": "Bank.Example, .a.example, b.example., cn"})

    assert len(chosen.webhook_hosts) == 4


def test_every_setting_has_a_row_and_says_what_it_means() -> None:
    rows = settings_table()

    assert [row.name for row in rows] == [PREFIX + name.upper() for name in Settings.model_fields]
    assert all(row.meaning for row in rows)


def test_secrets_and_passwords_are_not_shown() -> None:
    shown = shown_values(settings(redis_url="redis://u:hunter2@store:6379/0"))

    assert "hunter2" not in str(shown)
    assert "ssss" not in str(shown)
    assert shown["RECSVC_REDIS_URL"] == "redis://********@store:6379/0"


def test_settings_are_shown_as_they_would_be_written() -> None:
    given = {
        "RECSVC_TRUSTED_HOSTS": "a.example,b.example",
        "RECSVC_ISSUER_TIMEZONES": "demo=Asia/Shanghai,devon=Europe/London",
        "RECSVC_TRUSTED_KEYS": "/keys/a.pem,/keys/b.pem",
        "RECSVC_ACCESS_LOG": "true",
    }
    chosen = read_settings(given)
    shown = shown_values(chosen)

    assert given.items() <= shown.items()
    assert read_settings({name: value for name, value in shown.items() if value}) == chosen


def test_a_folder_for_metrics_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"RECSVC_METRICS_DIR: .*file/x cannot be made"):
        serving_environment(Settings(metrics_dir=tmp_path / "file" / "x"))


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_a_key_that_is_not_there_is_one_line_before_anything_starts(
    clean_environment: dict[str, str], command: str
) -> None:
    done = run_command([command], clean_environment, trusted_keys="/nowhere/key.pem")

    assert done.returncode == 1
    assert done.stderr.startswith("recsvc: /nowhere/key.pem: no readable PEM public key")
    assert len(done.stderr.splitlines()) == 1


def test_a_server_without_a_shared_secret_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match="recsvc serve"):
        _ = read_settings({}).secret_bytes


def test_f31_more_than_one_thread_in_a_numeric_library_is_refused() -> None:
    with pytest.raises(SettingsError, match="OPENBLAS_NUM_THREADS, MKL_NUM_THREADS: must be 1"):
        refuse_many_threads({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "2"})


def test_the_serving_environment_has_one_thread_a_secret_and_a_metrics_folder(
    tmp_path: Path,
) -> None:
    environ = serving_environment(Settings(metrics_dir=tmp_path / "metrics"))
    refuse_many_threads(environ)

    assert len(environ["RECSVC_SECRET"]) == 64
    assert Path(environ["PROMETHEUS_MULTIPROC_DIR"]).is_dir()


def test_check_config_names_the_mistake_and_exits_one(clean_environment: dict[str, str]) -> None:
    bad = run_command(["check-config"], clean_environment, wrokers="2")
    good = run_command(["check-config", "--json"], clean_environment, workers="3")

    assert bad.returncode == 1
    assert bad.stderr.startswith("recsvc: RECSVC_WROKERS: unknown setting; did you mean")
    assert json.loads(good.stdout)["RECSVC_WORKERS"] == "3"
