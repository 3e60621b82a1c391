"""Work of libraries that has the same result in each test of a process, and is done once here."""

from __future__ import annotations

import functools
import sys

import httpx._transports.default as transports
from alembic.script import ScriptDirectory


def keep_results() -> None:
    """Keep results of libraries that are imported by all tests."""
    # Dagster's migrations, which Alembic loads for each new file of SQLite, so also for each run.
    ScriptDirectory.from_config = functools.cache(ScriptDirectory.from_config)  # type: ignore[method-assign]
    # The certificates of public authorities, which each HTTP client loads.
    transports.create_ssl_context = functools.cache(transports.create_ssl_context)


def keep_results_of_dbt() -> None:
    """Keep results of dbt, if it was imported: its import takes seconds."""
    if flags := sys.modules.get("dbt_common.behavior_flags"):
        rendered = flags.BehaviorFlagRendered
        # The module that declares a flag, for which each command inspects the whole stack.
        if not hasattr(rendered._default_source, "cache_info"):
            rendered._default_source = staticmethod(functools.cache(rendered._default_source))
    if adapters := sys.modules.get("dbt.adapters.base.impl"):
        # Each command adds flags to this list.
        declared = adapters.DEFAULT_BASE_BEHAVIOR_FLAGS
        declared[:] = {flag["name"]: flag for flag in declared}.values()
