"""``recsvc demo``: the main job on one machine, in the foreground."""

import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from recsvc.cli.opening import check_issuer
from recsvc.demo import jobs, showing
from recsvc.demo.processes import environment, private_valkey, service, worker
from recsvc.listening import refuse_taken
from recsvc.settings import read_settings
from recsvc.stores.entrance.api_keys import SCOPES

PATH = click.Path(path_type=Path, exists=True)


@click.command("demo")
@click.option("--usage", type=PATH, help="card usage; an issuer is simulated unless given")
@click.option("--mapping", type=PATH, help="how the usage's columns become ours")
@click.option("--catalog", type=PATH, help="NDJSON; an illustrative one is drawn unless given")
@click.option("--issuer", help="issuer id; demo, or for given usage the mapping's or its own name")
@click.option("--home", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option("--cardholders", default=jobs.USUAL.cardholders, show_default=True)
@click.option("--merchants", default=jobs.USUAL.merchants, show_default=True)
@click.option("--transactions", default=jobs.USUAL.transactions, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--examples", default=1, show_default=True, type=click.IntRange(1, 20))
@click.option("--locale", default="zh-CN", show_default=True, type=click.Choice(["zh-CN", "en"]))
@click.option("--once", is_flag=True, help="stop after the first answer instead of serving on")
def command(
    *,
    usage: Path | None,
    mapping: Path | None,
    catalog: Path | None,
    issuer: str | None,
    home: Path,
    cardholders: int,
    merchants: int,
    transactions: int,
    seed: int,
    examples: int,
    locale: str,
    once: bool,
) -> None:
    """Train on simulated or given card usage, publish, serve, and show one answer."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = home / "demo"
    issuer = issuer or jobs.issuer_of(usage, mapping)
    check_issuer(issuer)
    if usage is None and (mapping or catalog):
        raise click.UsageError("--mapping and --catalog go with --usage; name the usage too")
    try:
        refuse_taken(read_settings().bind)
        if usage is None:
            _say(1, "drawing an issuer")
            size = jobs.Size(cardholders, merchants, transactions)
            source = jobs.simulated(folder / "issuer", size, seed)
        else:
            _say(1, "bringing card usage in")
            source = jobs.brought(folder / "usage", usage, mapping, catalog)
        _say(2, "training and publishing")
        jobs.trained(source, read_settings().shelf, issuer)
        _serve(source, issuer, home, _Screen(examples, locale), once=once)
    except jobs.DemoError as error:
        raise click.ClickException(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Screen:
    """How many cardholders are shown, and in which language."""

    examples: int
    locale: str


def _say(step: int, what: str) -> None:
    click.secho(f"[{step}/4] {what}", bold=True)


def _serve(source: jobs.Source, issuer: str, home: Path, screen: _Screen, *, once: bool) -> None:
    """Start the stores and the service, fill them, show one answer, serve until stopped."""
    settings = read_settings()
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        _say(3, "starting a private Valkey and the service")
        own = "RECSVC_REDIS_URL" not in environment()
        url = (
            stack.enter_context(private_valkey(home / "demo" / "valkey"))
            if own
            else settings.redis_url
        )
        environ = environment(redis_url=url)
        key = _new_key(issuer, home / "demo.key", environ)
        jobs.call(
            "recsvc", "catalog", "import", "--issuer", issuer, source.catalog, environ=environ
        )
        if source.cardholders:
            jobs.call(
                "recsvc", "cardholders", "import", "--issuer", issuer, source.cardholders,
                environ=environ,
            )  # fmt: skip
        process = stack.enter_context(service(settings.bind, environ))
        for name in ("archive", "dispatch"):
            stack.enter_context(worker(name, environ, home / "demo" / f"{name}.log"))
        _say(4, "asking for one cardholder's first screen")
        bundle = Shelf(settings.shelf, issuer).current()
        if bundle is None:
            raise jobs.DemoError("nothing stands on the shelf")
        _show(showing.Client(f"http://{settings.bind}", key), bundle, source, home, screen)
        if not once:
            process.wait()


def _new_key(issuer: str, path: Path, environ: dict[str, str]) -> str:
    """Make a key with every scope and leave it where the owner alone reads it."""
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    made = jobs.told("recsvc", "keys", "create", "--issuer", issuer, *scopes, environ=environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(made + "\n")
    return made


def _show(
    client: showing.Client, bundle: Bundle, source: jobs.Source, home: Path, screen: _Screen
) -> None:
    """Print one request, its answer as JSON, answers as a person reads them, where to look on."""
    asked = showing.Asked(client, screen.locale, gives_consent=source.cardholders is None)
    answers = asked.personal_answers(bundle, screen.examples, datetime.now(UTC))
    if not answers:
        raise jobs.DemoError("no example cardholder got a personalised answer")
    first = answers[0]
    click.echo(
        f'\n$ curl -s -H "Authorization: Bearer $(cat {home}/demo.key)" \\\n'
        f'    "{client.base}{asked.path(first["cardholder_id"])}"'
    )
    click.echo(orjson.dumps(first, option=orjson.OPT_INDENT_2))
    for answer in answers:
        click.echo("\n" + "\n".join(showing.story_lines(bundle, answer)))
    click.echo(
        f"\nopen     {client.base}/docs          every endpoint, to try\n"
        f"         {client.base}/readyz  {client.base}/metrics\n"
        f"report   {bundle.folder / 'report.html'}\n"
        f"logs     {home}/demo/archive.log  {home}/demo/dispatch.log\n"
        f"key      {home}/demo.key\nstop     Ctrl-C"
    )
