"""Detection of misspelled environment variables: set, close to the name of a setting, and without effect."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from difflib import get_close_matches

_logger = logging.getLogger("gong_assets")

# Similarity (difflib) from which a name counts as a misspelling. Other tools read SNOWFLAKE_* and HUBSPOT_*.
_MIN_SIMILARITY = {"GONG_": 0.7, "SNOWFLAKE_": 0.8, "HUBSPOT_": 0.8}

# Prefixes of variables that this project reads outside the settings, and of other tools' variables that
# resemble a setting.
_KNOWN_PREFIXES = (
    *(
        "GONG_ASSETS_ESC_FILLED",
        "GONG_ASSETS_LOCAL_",
        "GONG_ASSETS_VERBOSE",
        "GONG_ASSETS_QUERY_TAG",
        "GONG_SCHEMA",
        "GONG_DATABASE",
    ),
    *("SNOWFLAKE_HOME", "SNOWFLAKE_CONNECTION", "SNOWFLAKE_DEFAULT_", "SNOWFLAKE_CLI_", "SNOWFLAKE_LOG"),
    *("SNOWFLAKE_REGION", "SNOWFLAKE_PRIVATE_KEY_RAW", "SNOWFLAKE_SESSION_TOKEN", "SNOWFLAKE_MASTER_TOKEN"),
    *("SNOWFLAKE_TOKEN_FILE_PATH", "SNOWFLAKE_DISABLE_", "SNOWFLAKE_OCSP_", "SNOWFLAKE_MFA_"),
    *("HUBSPOT_API_KEY", "HUBSPOT_ACCESS_TOKEN"),
)

_reported: set[str] = set()


def misspelled_variables(environment: Collection[str], settings: Collection[str]) -> dict[str, str]:
    """Return the variables that seem to be misspelled settings, with the nearest setting.

    A name whose nearest setting is set too is assumed to belong to another tool.
    """
    found = {}
    for name in sorted(environment):
        prefix = name.partition("_")[0] + "_"
        if prefix not in _MIN_SIMILARITY or name in settings or name.startswith(_KNOWN_PREFIXES):
            continue
        candidates = [setting for setting in settings if setting.startswith(prefix)]
        nearest = get_close_matches(name, candidates, n=1, cutoff=_MIN_SIMILARITY[prefix])
        if nearest and nearest[0] not in environment:
            found[name] = nearest[0]
    return found


def misspelling_message(name: str, nearest: str) -> str:
    """Return the warning for one misspelled variable."""
    return f"{name} is not a setting and has no effect. Did you mean {nearest}?"


def warn_about_misspellings(environment: Mapping[str, str], settings: Collection[str]) -> None:
    """Log a warning for each misspelled variable, once per process."""
    for name, nearest in misspelled_variables(environment, settings).items():
        if name not in _reported:
            _reported.add(name)
            _logger.warning(misspelling_message(name, nearest))
