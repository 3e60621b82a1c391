"""Reading the settings from the environment and `.env` files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

from dotenv import dotenv_values, load_dotenv
from pydantic import ValidationError

from gong_assets.settings.esc import EscError, fill_environment
from gong_assets.settings.model import Settings, SettingsWithoutSignIn
from gong_assets.settings.project_directory import env_files
from gong_assets.settings.variable_names import warn_about_misspellings

_SWITCH = "GONG_ASSETS_SCHEDULES_ENABLED"

# The variables of the settings.
VARIABLES = tuple(name.upper() for name in Settings.model_fields)
# Those whose values are paths.
_PATHS = tuple(
    name.upper()
    for name, field in Settings.model_fields.items()
    if Path in (field.annotation, *get_args(field.annotation))
)


class SettingsError(Exception):
    """Environment variables are invalid. The message has one line for each problem."""


def _check_switch(file: Path) -> None:
    if (dotenv_values(file).get(_SWITCH) or "").lower() in ("1", "true", "t", "yes", "y", "on"):
        raise SettingsError(
            f"{_SWITCH}: remove it from {file}, and set it in the environment of the one deployment whose "
            "schedules run. A copy of the file would start a second one, which uses Gong and Snowflake too."
        )


def _load(file: Path) -> None:
    """Add the variables of the file to the environment. Its relative paths become absolute."""
    _check_switch(file)
    unset = [name for name in _PATHS if name not in os.environ]
    load_dotenv(file)
    for name in unset:
        if value := os.environ.get(name):
            os.environ[name] = str(file.parent / Path(value).expanduser())


def load_settings(*, snowflake_sign_in: bool = True, **overrides: Any) -> Settings:
    """Read the settings from the environment and from `.env` in the project's directory.

    The environment wins. In a subdirectory of the project, a `.env` of its own comes before the project's.
    A relative path in a file is relative to the file's directory. The variables of `.env`, and then those of
    GONG_ASSETS_ESC, are added to the environment, where Dagster's `EnvVar`s and subprocesses see them. A
    misspelled variable is logged as a warning.

    Args:
        snowflake_sign_in: whether the target is read from the settings too. False if a Dagster resource of
            the user signs in to Snowflake.
        overrides: values that replace those of the environment.

    Raises:
        SettingsError: a value is invalid. The message names the variables and never shows a secret.
    """
    for file in env_files(Path.cwd(), VARIABLES):
        _load(file)
    try:
        fill_environment(VARIABLES)
    except EscError as error:
        raise SettingsError(str(error)) from None
    warn_about_misspellings(os.environ, VARIABLES)
    try:
        return Settings(**overrides) if snowflake_sign_in else SettingsWithoutSignIn(**overrides)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            message = problem["msg"].removeprefix("Value error, ")
            if problem["loc"]:
                message = f"{str(problem['loc'][0]).upper()}: {message[0].lower()}{message[1:]}"
            lines.append(message)
        raise SettingsError("\n".join(lines)) from None
