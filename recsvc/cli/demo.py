"""``recsvc demo``: the main job on one machine, in the foreground."""

import signal
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from recsvc.demo import jobs, showing
from recsvc.demo.processes import environment, private_valkey, service
from recsvc.settings import read_settings
from recsvc.stores.api_keys import SCOPES

PATH = click.Path(path_type=Path, exists=True)


@click.command("demo")
@click.option("--usage", type=PATH, help="card usage; an issuer is simulated unless given")
@click.option("--mapping", type=PATH, help="how the usage's columns become ours")
@click.option("--catalog", type=PATH, help="NDJSON; an illustrative one is drawn unless given")
@click.option("--issuer", default="demo", show_default=True, help="issuer id")
@click.option("--home", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option("--cardholders", default=jobs.USUAL.cardholders, show_default=True)
@click.option("--merchants", default=jobs.USUAL.merchants, show_default=True)
@click.option("--transactions", default=jobs.USUAL.transactions, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--once", is_flag=True, help="stop after the first answer instead of serving on")
def command(
    *,
    usage: Path | None,
    mapping: Path | None,
    catalog: Path | None,
    issuer: str,
    home: Path,
    cardholders: int,
    merchants: int,
    transactions: int,
    seed: int,
    once: bool,
) -> None:
    """Train on simulated or given card usage, publish, serve, and show one answer."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = home / "demo"
    try:
        if usage is None:
            _say(1, "drawing an issuer")
            size = jobs.Size(cardholders, merchants, transactions)
            source = jobs.simulated(folder / "issuer", size, seed)
        else:
            _say(1, "bringing card usage in")
            source = jobs.brought(folder / "usage", usage, mapping, catalog)
        _say(2, "training and publishing")
        jobs.trained(source, read_settings().shelf, issuer)
        _serve(source, issuer, home, once=once)
    except jobs.DemoError as error:
        raise click.ClickException(str(error)) from error


def _say(step: int, what: str) -> None:
    click.secho(f"[{step}/4] {what}", bold=True)


def _serve(source: jobs.Source, issuer: str, home: Path, *, once: bool) -> None:
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
        _say(4, "asking for one cardholder's first screen")
        bundle = Shelf(settings.shelf, issuer).current()
        if bundle is None:
            raise jobs.DemoError("nothing stands on the shelf")
        _show(showing.Client(f"http://{settings.bind}", key), bundle, source, home)
        if not once:
            process.wait()


def _new_key(issuer: str, path: Path, environ: dict[str, str]) -> str:
    """Make a key with every scope and leave it where the owner alone reads it."""
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    made = jobs.call("recsvc", "keys", "create", "--issuer", issuer, *scopes, environ=environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.chmod(0o600)
    path.write_bytes(made)
    return made.decode().strip()


def _show(client: showing.Client, bundle: Bundle, source: jobs.Source, home: Path) -> None:
    """Print one request, its answer as JSON and as a person reads it, and where to look on."""
    cardholder_id, answer = _first_personal(client, bundle, source)
    path = f"/v1/cardholders/{cardholder_id}/recommendations?limit=3"
    click.echo(
        f'\n$ curl -s -H "Authorization: Bearer $(cat {home}/demo.key)" \\\n'
        f'    "{client.base}{path}"'
    )
    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))
    click.echo(f"\nWhat the card of {cardholder_id} says:")
    click.echo("\n".join(showing.card_story(bundle, cardholder_id)))
    click.echo("What it is offered, and why:")
    click.echo("\n".join(showing.answer_lines(answer)))
    click.echo(
        f"\nopen     {client.base}/docs          every endpoint, to try\n"
        f"         {client.base}/readyz  {client.base}/metrics\n"
        f"report   {bundle.folder / 'report.html'}\n"
        f"key      {home}/demo.key\nstop     Ctrl-C"
    )


def _first_personal(
    client: showing.Client, bundle: Bundle, source: jobs.Source
) -> tuple[str, dict[str, object]]:
    """An example cardholder whose answer is personalised, and that answer."""
    tried = showing.example_cardholders(bundle, 40)
    for cardholder_id in tried:
        if source.cardholders is None:
            showing.give_consent(client, cardholder_id, datetime.now(UTC))
        answer = client.ask(f"/v1/cardholders/{cardholder_id}/recommendations?limit=3")
        if answer["personalised"]:
            return cardholder_id, answer
    raise jobs.DemoError(f"none of {len(tried)} example cardholders got a personalised answer")
