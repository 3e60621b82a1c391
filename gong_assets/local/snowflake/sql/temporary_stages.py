"""The temporary stages of a session.

On Snowflake a temporary stage belongs to the session that created it and hides a permanent stage of the same
name. fakesnow has one list of stages for all sessions, so a temporary stage is stored under a name that
contains the id of its session, which no result or error message shows.
"""

from __future__ import annotations

import re

from fakesnow.transforms import stage
from sqlglot import exp

SESSION_MARK = "$SESSION$"
_SUFFIX = re.compile(re.escape(SESSION_MARK) + r"\d+")


def public_name(name: str) -> str:
    """Return a stage's name, or a text that contains it, without the ids of sessions."""
    return _SUFFIX.sub("", name)


class TemporaryStages:
    """Registry of a session's temporary stages by their full Snowflake names."""

    def __init__(self, session_id: str) -> None:
        self._suffix = f"{SESSION_MARK}{session_id}"
        self._names: set[tuple[str, str, str]] = set()

    def stored_names(self) -> list[str]:
        """Return the full names under which the stages are stored."""
        return [f"{database}.{schema}.{name}{self._suffix}" for database, schema, name in self._names]

    def add(self, full_name: str) -> None:
        """Register a stage that was created, by the full name under which it is stored."""
        self._names.add(_parts(public_name(full_name)))

    def remove(self, full_name: str) -> None:
        """Unregister a stage that was dropped, by the full name under which it is stored."""
        self._names.discard(_parts(public_name(full_name)))

    def stored_name(self, full_name: str) -> str:
        """Return the full name under which the stage is stored that the session sees as ``full_name``."""
        return f"{full_name}{self._suffix}" if _parts(full_name) in self._names else full_name

    def resolve(self, statement: exp.Expression, database: str | None, schema: str | None) -> None:
        """Redirect references to temporary stages in ``statement`` to their stored names, in place."""
        match statement:
            case exp.Create() if str(statement.args.get("kind")).upper() == "STAGE":
                if statement.find(exp.TemporaryProperty) and (table := statement.find(exp.Table)):
                    name = table.this.name if table.this.quoted else table.this.name.upper()
                    table.set("this", exp.to_identifier(f"{name}{self._suffix}", quoted=True))
            case exp.Put() | exp.ListStage() | exp.Copy() if self._names:
                for node in statement.find_all(exp.Var, exp.Literal):
                    if isinstance(node.this, str) and node.this.lstrip("'").startswith("@"):
                        node.set("this", self._location(node.this, database, schema))

    def _location(self, location: str, database: str | None, schema: str | None) -> str:
        """Return a reference such as ``@stage/path``, with the stored name if the stage is temporary."""
        quote = "'" if location.startswith("'") else ""
        name, slash, path = location.removeprefix(quote).removesuffix(quote).removeprefix("@").partition("/")
        parts = stage.parts_from_var(name, database, schema)
        if parts not in self._names:
            return location
        stored = ".".join(f'"{part}"' for part in (*parts[:2], f"{parts[2]}{self._suffix}"))
        return f"{quote}@{stored}{slash}{path}{quote}"


def _parts(full_name: str) -> tuple[str, str, str]:
    database, schema, name = full_name.split(".")
    return database, schema, name
