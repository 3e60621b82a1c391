"""Check of the combination of Gong source and warehouse, before anything is written.

Two combinations need an explicit setting, because a forgotten variable would select them too: invented calls
in a Snowflake account, and real calls in the local stack. Commands that only read, such as the MCP server,
need no Gong credentials and do not use this check.
"""

from __future__ import annotations

from gong_assets.settings import Settings, SettingsError

_CREDENTIALS = (
    "GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET, GONG_ACCESS_TOKEN, or GONG_CLIENT_ID, "
    "GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN"
)


def check_accounts(
    settings: Settings, *, has_gong_resource: bool = False, has_snowflake_resource: bool = False
) -> None:
    """Raise an error if calls could be written to a warehouse by mistake.

    Args:
        has_gong_resource: the Dagster project has a Gong resource of its own, with credentials.
        has_snowflake_resource: the Dagster project has a Snowflake resource of its own.

    Raises:
        SettingsError: the message names the variable to set. Nothing was written.
    """
    source, is_simulated = settings.gong_assets_source, settings.uses_simulated_gong and not has_gong_resource
    target = "snowflake" if has_snowflake_resource else settings.target
    if source == "gong" and is_simulated:
        raise SettingsError(f"GONG_ASSETS_SOURCE=gong: needs {_CREDENTIALS}")
    if is_simulated and target == "snowflake" and source != "simulated":
        place = ".".join(settings.place.values())
        account = f" in account {settings.snowflake_account}" if settings.snowflake_account else ""
        raise SettingsError(
            "GONG_ASSETS_SOURCE: no Gong credentials are set, so the calls of the simulated tenant would be "
            f"written to Snowflake ({place}{account}).\n"
            f"Set {_CREDENTIALS}; or set GONG_ASSETS_SOURCE=simulated to write invented calls there. Nothing "
            "was changed."
        )
    if not is_simulated and target == "local" and settings.gong_assets_target is None:
        is_adopted = settings.is_adopted
        reason = f"GONG_SOURCE is {settings.gong_source}" if is_adopted else "Gong credentials are set"
        raise SettingsError(
            f"GONG_ASSETS_TARGET: {reason}, but no SNOWFLAKE_ACCOUNT, so real calls would be written "
            f"unencrypted to {settings.home}.\n"
            "Set SNOWFLAKE_ACCOUNT, or set GONG_ASSETS_TARGET=local to store them there. Nothing was changed."
        )
