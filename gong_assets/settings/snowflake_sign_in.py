"""Problems of the settings with which the project signs in to Snowflake."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gong_assets.settings.urls import url_problems

# The values of the connector's `authenticator`, with the variables of which each needs one; see
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#connect.
# The https URL of an Okta account is another valid value.
AUTHENTICATORS: Mapping[str, tuple[str, ...]] = {
    "snowflake": ("SNOWFLAKE_PASSWORD",),
    "username_password_mfa": ("SNOWFLAKE_PASSWORD",),
    "externalbrowser": (),
    "snowflake_jwt": ("SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_PRIVATE_KEY_PATH"),
    "oauth": ("SNOWFLAKE_TOKEN",),
    "programmatic_access_token": ("SNOWFLAKE_TOKEN",),
    "workload_identity": (),
}

_DOMAINS = (".snowflakecomputing.com", ".snowflakecomputing.cn")


def account_problem(account: str) -> str | None:
    """Return why the text is no account identifier, or None if it may be one."""
    host = account.lower().removeprefix("https://").rstrip("/")
    if host.endswith(_DOMAINS):
        return f"must be the account identifier, not its address: {host.partition('.snowflakecomputing')[0]}"
    if any(character in account for character in "/: "):
        return "must be the account identifier, <organization>-<account>"
    return None


def authenticator_problems(
    authenticator: str | None, credentials: Collection[str], workload_identity_provider: str | None
) -> list[str]:
    """Return what is wrong with the authenticator, or with the credentials for it.

    Args:
        credentials: the variables with credentials that are set.
    """
    authenticator = (authenticator or "").lower()
    if not authenticator and not credentials:
        return [
            "Snowflake sign-in: set SNOWFLAKE_PRIVATE_KEY, SNOWFLAKE_PRIVATE_KEY_PATH, SNOWFLAKE_TOKEN, "
            "SNOWFLAKE_PASSWORD or SNOWFLAKE_AUTHENTICATOR"
        ]
    if not authenticator:
        return []
    is_okta = authenticator.startswith("https://")
    if not is_okta and authenticator not in AUTHENTICATORS:
        return [f"SNOWFLAKE_AUTHENTICATOR: must be an https URL or one of {', '.join(AUTHENTICATORS)}"]
    if is_okta and (invalid := url_problems("SNOWFLAKE_AUTHENTICATOR", authenticator, ("https",))):
        return invalid
    needed = ("SNOWFLAKE_PASSWORD",) if is_okta else AUTHENTICATORS[authenticator]
    problems = []
    if needed and not set(needed) & set(credentials):
        problems.append(f"SNOWFLAKE_AUTHENTICATOR={authenticator}: needs {' or '.join(needed)}")
    if authenticator == "workload_identity" and workload_identity_provider is None:
        problems.append(
            "SNOWFLAKE_AUTHENTICATOR=workload_identity: needs SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER"
        )
    return problems
