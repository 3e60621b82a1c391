"""Runs the statements on users, roles, grants, tags and policies."""

from __future__ import annotations

import re

from gong_assets.local.snowflake.governance import account_objects, grants, show, table_policies
from gong_assets.local.snowflake.governance.scope import Scope
from gong_assets.local.snowflake.governance.words import Words

_FIRST_WORD = re.compile(r"(create|alter|drop|grant|revoke|show|desc|describe|comment)\s", re.IGNORECASE)


def run(sql: str, scope: Scope) -> str | None:
    """Run an account statement and return the query for its result; None for another statement.

    Args:
        sql: the statement, without comments before it.
    """
    found = _FIRST_WORD.match(sql)
    if found is None:
        return None
    words = Words(sql)
    words.next()
    match found[1].upper():
        case "ALTER" if table_policies.STATEMENT.match(sql):
            return table_policies.alter(words, scope)
        case "CREATE":
            return account_objects.create(words, scope)
        case "ALTER":
            return account_objects.alter(words, scope)
        case "DROP":
            return account_objects.drop(words, scope)
        case "GRANT":
            return grants.grant(words, scope)
        case "REVOKE":
            return grants.revoke(words, scope)
        case "SHOW":
            return show.show(words, scope)
        case "DESC" | "DESCRIBE":
            return show.describe(words, scope)
    return None
