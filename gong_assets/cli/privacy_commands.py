"""The commands `erase` and `rotate-key`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.progress import Progress

if TYPE_CHECKING:
    from gong_assets.settings import Settings
    from gong_assets.warehouse.key_rotation import KeyPair

KEY_VARIABLE = "SNOWFLAKE_PRIVATE_KEY"

EmailOption = Annotated[
    list[str] | None, typer.Option(metavar="ADDRESS", help="E-mail address of a person. May be repeated.")
]
PhoneOption = Annotated[
    list[str] | None, typer.Option(metavar="NUMBER", help="Phone number of a person. May be repeated.")
]
CallOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Gong ID of a call, which is deleted. May be repeated."),
]
CrmIdOption = Annotated[
    list[str] | None,
    typer.Option("--crm-id", metavar="ID", help="ID of a contact in the CRM. May be repeated."),
]
DeleteOption = Annotated[
    bool,
    typer.Option(
        "--redact/--delete",
        help="Of a person: remove their name, identifiers and sentences from their calls, or delete these "
        "calls completely.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show how many rows would be changed, and change nothing.")
]


def erase(
    email: EmailOption = None,
    phone: PhoneOption = None,
    call: CallOption = None,
    crm_id: CrmIdOption = None,
    redact: DeleteOption = True,
    dry_run: DryRunOption = False,
) -> None:
    """Erase a person or a call from every table, and keep them from coming back.

    Salted hashes of the identifiers stay in GONG_ERASURES, and every later landing applies them. Prints a
    receipt without personal data, and writes it to `erasures` in GONG_ASSETS_HOME. The rows of redacted calls
    are built again by the next transformation. See docs/security.md for what is not reached.
    """
    from gong_assets.cli.erase import run_erase
    from gong_assets.settings import load_settings

    people = [("email", each) for each in email or ()]
    people += [("phone", each) for each in phone or ()] + [("crm", each) for each in crm_id or ()]
    calls = [("call", each) for each in call or ()]
    identifiers = [*people, *calls]
    if not identifiers:
        raise typer.BadParameter("give at least one of --email, --phone, --call and --crm-id")
    if people and calls and redact:
        raise typer.BadParameter("--call deletes: erase a call and redact a person with two commands")
    for kind, value in identifiers:
        _check_identifier(kind, value)
    with Progress() as progress:
        receipt = run_erase(
            load_settings(),
            identifiers,
            "redact" if people and redact else "delete",
            progress,
            dry_run=dry_run,
        )
    output.json_text(json.dumps(receipt, indent=2))


def _check_identifier(kind: str, value: str) -> None:
    """Raise BadParameter for a value that cannot identify one person or call, without showing it."""
    if not value.strip():
        raise typer.BadParameter(f"--{kind if kind != 'crm' else 'crm-id'} is empty")
    if kind == "email" and "@" not in value:
        raise typer.BadParameter("--email is not an e-mail address: it has no @")
    if kind == "phone" and sum(map(str.isdigit, value)) < 6:
        raise typer.BadParameter("--phone is not a phone number: it has fewer than 6 digits")


def rotate_key(
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Unset the old key. Before, start every process again that holds it in its environment.",
        ),
    ] = False,
    replace_other: Annotated[
        bool,
        typer.Option(
            "--replace-other", help="Replace a key in the second slot that no process signs in with."
        ),
    ] = False,
) -> None:
    """Replace the key pair with which the user signs in to Snowflake.

    The new key is set in the user's free slot, signs in, and replaces the file SNOWFLAKE_PRIVATE_KEY_PATH. If
    the key is in SNOWFLAKE_PRIVATE_KEY, it replaces the secret in the environment GONG_ASSETS_ESC, or is
    printed once without one. The old key stays valid until `--finish`. After an interruption, the same
    command continues. The role needs MODIFY PROGRAMMATIC AUTHENTICATION METHODS on the user.
    """
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse
    from gong_assets.warehouse.key_rotation import Rotation

    settings = load_settings()
    pending = settings.home / "rotating_key.p8"
    rotation = Rotation(open_warehouse(settings).arguments, pending, output.note)
    if finish:
        rotation.finish()
    else:
        rotation.rotate(_store_of_key(settings), replace_other=replace_other)


def _store_of_key(settings: Settings) -> Callable[[KeyPair], None]:
    """Return the function that stores a new key where the settings have it, or prints it."""
    from gong_assets.settings.esc import EscError, is_filled, store_secret
    from gong_assets.warehouse.key_rotation import RotationError, replace_file

    passphrase = settings.snowflake_secrets["private_key_passphrase"]
    if path := settings.snowflake_private_key_path:
        return replace_file(path.expanduser(), passphrase)

    def store_in_esc(pair: KeyPair) -> None:
        try:
            store_secret(KEY_VARIABLE, pair.encrypted(passphrase).decode())
        except EscError as error:
            raise RotationError(f"{error}\nThe key in use is unchanged. Start the rotation again.") from error

    def print_once(pair: KeyPair) -> None:
        output.text(pair.encrypted(passphrase).decode())

    return store_in_esc if is_filled(KEY_VARIABLE) else print_once
