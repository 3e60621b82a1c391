"""Errors of the commands: their messages and exit codes."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Protocol, runtime_checkable

from gong_assets.cli.interruption import EXIT_CODE, Interrupted
from gong_assets.security.texts import one_line

WORK_FAILED, WRONG_USAGE = 1, 2


class CommandError(Exception):
    """A command failed. The message is for the user."""


@runtime_checkable
class UsageError(Protocol):
    """Typer's exception for wrong usage, by its documented attributes: its class is in a private module."""

    exit_code: int

    def format_message(self) -> str: ...


def is_help(error: UsageError) -> bool:
    """Return whether the message is the help of a command group that was called without a command."""
    context = getattr(error, "ctx", None)
    return context is not None and error.format_message() == context.get_help()


def usage_message(error: UsageError) -> str:
    """Return what is wrong and how to get help."""
    # Typer lists the choices of a missing argument on lines of their own.
    reason = one_line(error.format_message().replace("Value error, ", ""))
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "gong-assets"
    return f"{reason[:1].lower()}{reason[1:]}\nRun `{command} --help` for usage."


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an expected error, or None for a bug."""
    from gong_assets.settings import SettingsError

    if isinstance(error, Interrupted):
        return EXIT_CODE
    # Checked first, because the other classes take seconds to import.
    if isinstance(error, SettingsError):
        return WRONG_USAGE
    if storage_problem(error):
        return WORK_FAILED
    from gong_assets.agents import AgentError, InvalidArgument
    from gong_assets.agents.tokens import TokenError
    from gong_assets.cli.graph_run import RunFailed
    from gong_assets.cli.sync import InvalidDateRange
    from gong_assets.defs.dbt.project import DbtParseError
    from gong_assets.gong import GongError
    from gong_assets.local import LocalStackError
    from gong_assets.provisioning.apply import ProvisioningError
    from gong_assets.warehouse.errors import WarehouseError
    from gong_assets.warehouse.key_rotation import RotationError

    if isinstance(error, InvalidDateRange | InvalidArgument):
        return WRONG_USAGE
    expected = (
        AgentError, CommandError, DbtParseError, GongError, LocalStackError, ProvisioningError, RunFailed,
        RotationError, TokenError, WarehouseError,
    )  # fmt: skip
    return WORK_FAILED if isinstance(error, expected) else None


def warehouse_error_message(error: Exception) -> str | None:
    """Return the message and advice for an error of the warehouse, or None for any other error."""
    from gong_assets.local import LocalStackError
    from gong_assets.warehouse.errors import WarehouseError

    return message(error) if isinstance(error, LocalStackError | WarehouseError) else None


def storage_problem(error: Exception) -> str | None:
    """Return the message for a full disk or a directory that cannot be written, or None for other errors.

    Dagster keeps its state in SQLite, whose errors have no number.
    """
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and isinstance(cause, Exception):
        causes.append(cause)
    for each in causes:
        number = each.errno if isinstance(each, OSError) else None
        file = getattr(each, "filename", None)
        place = file or "a file"
        if number == errno.ENOSPC or "database or disk is full" in str(each):
            return f"The disk is full: {place} cannot be written. Free some space and run the command again."
        # A socket fails with these numbers too, and has no file.
        if (file and number in _UNWRITABLE_ERRNOS) or any(text in str(each) for text in _UNWRITABLE_TEXTS):
            reason = each.strerror if isinstance(each, OSError) else "no permission, or a read-only disk"
            return f"Cannot write {place}: {reason}.{_home_advice(file)}"
    return None


def _home_advice(file: str | None) -> str:
    """Return the advice to use another home: for a file of it, or one of Dagster's, which has no name."""
    from gong_assets.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError:
        return ""
    path = Path(file).absolute() if file else settings.home
    homes = [home for home in (settings.home, settings.dagster_home) if home]
    # The first directory that cannot be created may be above the home.
    if not any(home.is_relative_to(path) or path.is_relative_to(home) for home in homes):
        return ""
    return "\nSet GONG_ASSETS_HOME (and DAGSTER_HOME, if it is set) to a directory that you can write."


_UNWRITABLE_ERRNOS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
_UNWRITABLE_TEXTS = ("attempt to write a readonly database", "unable to open database file")


def message(error: Exception) -> str:
    """Return the error's message; for errors of Gong and the warehouse, with a second line of advice."""
    from gong_assets.error_advice import EXPECTED_ERRORS, explain

    return storage_problem(error) or (explain(error) if isinstance(error, EXPECTED_ERRORS) else str(error))
