"""The budget of a deployment: its warehouses, and the AI functions that its users call.

A resource monitor sees warehouses only. A budget finds both by a tag, and notifies; it stops nothing.
https://docs.snowflake.com/en/sql-reference/classes/budget
"""

from __future__ import annotations

from collections.abc import Iterator

from gong_assets.provisioning.objects import Account


def budget_statements(account: Account) -> Iterator[str]:
    """Yield the statements of ACCOUNTADMIN, which can be repeated; none without a declared budget."""
    budget = account.budget
    if budget is None:
        return
    tag, value = f"{budget}_TAG", "gong_assets"
    yield f"CREATE OR ALTER TAG {tag}"
    for user in account.users:
        yield f"ALTER USER {user.name} SET TAG {tag} = '{value}'"
    for warehouse in account.warehouses:
        yield f"ALTER WAREHOUSE {warehouse.name} SET TAG {tag} = '{value}'"
    yield f"CREATE SNOWFLAKE.CORE.BUDGET IF NOT EXISTS {budget} ()"
    yield f"CALL {budget}!SET_SPENDING_LIMIT({account.budget_credits})"
    tagged = f"[[(SELECT SYSTEM$REFERENCE('TAG', '{tag}', 'SESSION', 'APPLYBUDGET')), '{value}']]"
    for method in ("SET_RESOURCE_TAGS", "SET_USER_TAGS"):
        yield f"CALL {budget}!{method}({tagged}, 'UNION')"
    yield f"CALL {budget}!ADD_SHARED_RESOURCE('AI FUNCTION')"
