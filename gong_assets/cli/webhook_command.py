"""The command `webhook`, which receives the announcements of Gong's automation rule."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import CommandError
from gong_assets.cli.interruption import EXIT_CODE, STOPPED
from gong_assets.cli.ports import LOOPBACK, listen
from gong_assets.security.http_requests import Hosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gong_assets.gong.webhook.signature import Authenticator
    from gong_assets.settings import Settings

HOST, PORT = LOOPBACK, 8809

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A host name by which a proxy reaches this receiver. That of GONG_WEBHOOK_URL, IP addresses "
        "and this machine's names are always allowed. May be repeated.",
    ),
]
AssetKeyOption = Annotated[
    str | None,
    typer.Option(
        show_default="gong_webhook",
        help="Key of the asset `gong_webhook`, if the component has a `key_prefix`: such as "
        "`sales/gong_webhook`.",
    ),
]


def webhook(
    host: HostOption = HOST,
    port: PortOption = PORT,
    allow_host: AllowHostOption = None,
    asset_key: AssetKeyOption = None,
) -> None:
    """Receive Gong's webhook, so that a processed call is in the tables within minutes.

    Each authenticated request stores the ID of its call in Dagster's storage; a sensor then reads the call
    and its transcript from Gong's API. Nothing else is taken from a request. Set GONG_WEBHOOK_URL, the URL in
    Gong's automation rule, and GONG_WEBHOOK_PUBLIC_KEY, the key that the rule shows. Gong needs an https URL,
    so run this behind a proxy that ends TLS. http://HOST:PORT/health counts the requests.

    With the simulated tenant no setting is needed: `gong-assets local call` announces a call.
    """
    import dagster as dg

    from gong_assets.cli.dagster_home import ensure_dagster_home
    from gong_assets.defs.webhook import ASSET, store_announcement
    from gong_assets.settings import load_settings

    try:
        from gong_assets.gong.webhook.receiver import Receiver, serve
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the webhook needs the package {error.name}: run `pip install 'gong_assets[webhook]'`"
        ) from error
    settings = load_settings()
    key = dg.AssetKey.from_user_string(asset_key or ASSET)
    ensure_dagster_home(settings)
    with dg.DagsterInstance.get() as instance, listen(host, port, option="--port") as listening:
        receiver = Receiver(
            _authenticator(settings, port), lambda call_id: store_announcement(instance, key, call_id)
        )
        output.note(f"webhook receiver on http://{f'[{host}]' if ':' in host else host}:{port}")
        try:
            serve(receiver, listening, _hosts(settings, host, allow_host or ()))
        except KeyboardInterrupt:
            output.note(STOPPED)
            sys.exit(EXIT_CODE)


def _hosts(settings: Settings, host: str, names: Sequence[str]) -> Hosts:
    url = settings.gong_webhook_url
    public = [urlsplit(url.get_secret_value()).hostname or ""] if url else []
    return Hosts.of_network((host, *public, *names))


def _authenticator(settings: Settings, port: int) -> Authenticator:
    from gong_assets.gong.webhook.signature import authenticator

    if settings.gong_webhook_url is None:
        if not settings.uses_simulated_gong:
            raise CommandError(
                "GONG_WEBHOOK_URL is not set. Set it to the URL in Gong's automation rule, and "
                "GONG_WEBHOOK_PUBLIC_KEY to the public key that the rule shows."
            )
        return _simulated(settings, port)
    url, public_key = settings.gong_webhook_url.get_secret_value(), settings.gong_webhook_public_key
    try:
        accepted = authenticator(url, public_key)
    except ValueError as error:
        name = "GONG_WEBHOOK_PUBLIC_KEY" if public_key else "GONG_WEBHOOK_URL"
        raise CommandError(f"{name}: {error}") from error
    if public_key is None:
        output.note(
            "Warning: the URL alone authenticates requests. Whoever learns it, for example from the log of a "
            "proxy, can make this project read calls. Choose signed requests in Gong's rule, and set "
            "GONG_WEBHOOK_PUBLIC_KEY."
        )
    return accepted


def _simulated(settings: Settings, port: int) -> Authenticator:
    """Register this receiver at the simulated tenant, and return the authenticator for its key."""
    from gong_assets.gong.webhook.signature import authenticator
    from gong_assets.local import local_stack

    url = f"http://{LOOPBACK}:{port}/gong"
    with output.status("starting the local stack"):
        stack = local_stack()
        public_key = stack.register_webhook(stack.up(settings.home, **settings.place).gong, url)
    return authenticator(url, public_key)
