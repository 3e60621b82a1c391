"""Checks of the settings, the home and the dbt project."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.defs.dbt.project import DbtParseError, prepared_project
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.security.private_files import create_private_directory
from gong_assets.settings import Settings, SettingsError
from gong_assets.settings.account_checks import check_accounts
from gong_assets.settings.variable_names import misspelled_variables, misspelling_message


def check_settings(settings: Settings) -> Iterator[CheckResult]:
    """Check the accounts, cron expressions and names of variables, and that the home can be written."""
    source = "simulated" if settings.uses_simulated_gong else "gong"
    summary = f"source {source}, target {settings.target}, home {settings.home}"
    try:
        check_accounts(settings)
        DEFAULT_OPTIONS.with_settings(settings)  # Checks the cron expressions.
        yield CheckResult("ok", "settings", summary)
    except SettingsError as error:
        yield CheckResult("fail", "settings", f"{summary}. {error}")
    for name, nearest in misspelled_variables(
        os.environ, [name.upper() for name in Settings.model_fields]
    ).items():
        yield CheckResult("warn", "settings", misspelling_message(name, nearest))
    try:
        create_private_directory(settings.home)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        yield CheckResult(
            "fail",
            "home",
            f"{settings.home} cannot be written: {error.strerror}. Set GONG_ASSETS_HOME to a directory that "
            "this user can write.",
        )


def check_dbt(settings: Settings) -> Iterator[CheckResult]:
    """Check that the dbt project parses."""
    try:
        project = prepared_project(settings)
    except DbtParseError as error:
        yield CheckResult("fail", "dbt", str(error))
        return
    yield CheckResult("ok", "dbt", f"the project is parsed: {project.target_path}")
