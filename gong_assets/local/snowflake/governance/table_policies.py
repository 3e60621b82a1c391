"""Policies and tags of tables and views: ALTER TABLE and ALTER VIEW, and the clauses of CREATE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.account_objects import require_apply
from gong_assets.local.snowflake.governance.scope import SUCCESS, Scope
from gong_assets.local.snowflake.governance.state import does_not_exist
from gong_assets.local.snowflake.governance.words import Words

# Other statements on tables are sqlglot's.
STATEMENT = re.compile(
    r"alter\s+(?:table|view|schema|database)\s.*?\b(?:masking\s+policy|row\s+access\s+polic(?:y|ies)|"
    r"(?:set|unset)\s+tag)\b",
    re.IGNORECASE | re.DOTALL,
)


def alter(words: Words, scope: Scope) -> str:
    """Run ALTER TABLE, VIEW, SCHEMA or DATABASE that attaches or detaches a policy or tag."""
    kind = words.take_one("TABLE", "VIEW", "SCHEMA", "DATABASE")
    if kind is None:
        raise words.error()
    if_exists = words.take("IF", "EXISTS")
    name = scope.full_name(kind, words.name())
    if kind in ("TABLE", "VIEW"):
        found = scope.kind_of(name)
        if found is None and if_exists:
            return SUCCESS
        if found is None:
            raise does_not_exist(kind, name)
        kind = found  # ALTER TABLE accepts a view too.
    else:
        scope.require_existing(kind, name)
    with scope.governance.lock:
        while not words.at_end:
            _action(words, scope, (kind, name))
            words.take(",")
        scope.governance.save()
    return SUCCESS


def _action(words: Words, scope: Scope, target: tuple[str, str]) -> None:
    attached = scope.governance.attached(target[1])
    if words.take("ADD", "ROW", "ACCESS", "POLICY"):
        policy = _policy(words, scope, "ROW ACCESS POLICY", target)
        words.expect("ON")
        _add_row_access(scope, target, policy, words.list_of_names())
    elif words.take("DROP", "ALL", "ROW", "ACCESS", "POLICIES"):
        scope.governance.require(scope.roles, "OWNERSHIP", *target)
        attached.row_access = None
    elif words.take("DROP", "ROW", "ACCESS", "POLICY"):
        policy = _policy(words, scope, "ROW ACCESS POLICY", target)
        if not attached.row_access or attached.row_access[0] != policy:
            raise does_not_exist("ROW ACCESS POLICY", policy)
        attached.row_access = None
    elif words.take_one("MODIFY", "ALTER"):
        words.take("COLUMN")
        _column_action(words, scope, target, words.identifier())
    else:
        _tags(words, scope, target, "")


def _column_action(words: Words, scope: Scope, target: tuple[str, str], column: str) -> None:
    attached = scope.governance.attached(target[1])
    if words.take("SET", "MASKING", "POLICY"):
        policy = _policy(words, scope, "MASKING POLICY", target)
        if words.take("USING"):
            raise NotImplementedError("conditional masking policies")
        _set_masking(scope, target, column, policy, forced=words.take("FORCE"))
    elif words.take("UNSET", "MASKING", "POLICY"):
        scope.governance.require(scope.roles, "OWNERSHIP", *target)
        attached.masking.pop(column, None)
    else:
        _tags(words, scope, target, column)


def _tags(words: Words, scope: Scope, target: tuple[str, str], column: str) -> None:
    tags = scope.governance.attached(target[1]).tags.setdefault(column, {})
    if words.take("UNSET", "TAG"):
        while True:
            tag = _policy(words, scope, "TAG", target)
            tags.pop(tag, None)
            if not words.take(","):
                return
    words.expect("SET", "TAG")
    while True:
        tag = _policy(words, scope, "TAG", target)
        words.expect("=")
        _set_tag(scope, tag, tags, words.next().text)
        if not words.sees(",") or _next_is_action(words):
            return
        words.take(",")


def _next_is_action(words: Words) -> bool:
    return any(words.sees(",", word) for word in ("MODIFY", "ALTER", "COLUMN", "ADD", "DROP"))


def _set_tag(scope: Scope, tag: str, tags: dict[str, str], value: str) -> None:
    allowed = scope.governance.of_kind("TAG")[tag].get("allowed_values")
    if allowed and value not in allowed:
        raise SnowflakeError(
            391417, "22023", f"Tag '{tag}' value '{value}' is not in the list of allowed values."
        )
    tags[tag] = value


def _policy(words: Words, scope: Scope, kind: str, target: tuple[str, str]) -> str:
    """Take the name of a policy or tag that the session may attach to the target."""
    name = scope.full_name(kind, words.name())
    scope.require_existing(kind, name)
    require_apply(scope, kind, name, target)
    return name


def _set_masking(
    scope: Scope, target: tuple[str, str], column: str, policy: str, *, forced: bool = False
) -> None:
    """Attach a masking policy to a column.

    https://docs.snowflake.com/en/user-guide/security-column-ddm-use: a column has one policy, and a column of
    a row access policy cannot be masked.
    """
    attached = scope.governance.attached(target[1])
    if attached.masking.get(column) and not forced:
        raise SnowflakeError(
            3874, "23001", f"Specified column already attached to another masking policy: {column}."
        )
    if attached.row_access and column in attached.row_access[1]:
        raise _in_both(column)
    attached.masking[column] = policy


def _add_row_access(scope: Scope, target: tuple[str, str], policy: str, columns: list[str]) -> None:
    attached = scope.governance.attached(target[1])
    arguments = scope.governance.of_kind("ROW ACCESS POLICY")[policy]["arguments"]
    if attached.row_access:
        raise SnowflakeError(3880, "23001", f"Object {target[1]} already has a ROW_ACCESS_POLICY.")
    if len(arguments) != len(columns):
        raise SnowflakeError(
            3881, "42601", f"Policy {policy} takes {len(arguments)} arguments and not {len(columns)}."
        )
    for column in columns:
        if column in attached.masking:
            raise _in_both(column)
    attached.row_access = (policy, columns)


def _in_both(column: str) -> SnowflakeError:
    return SnowflakeError(
        3889, "0A000", f"Column {column} cannot be in a masking policy and in a row access policy."
    )


class CreatedPolicies:
    """The policies and tags in a CREATE TABLE or CREATE VIEW, which are taken out of the statement."""

    def __init__(self, statement: exp.Expression, scope: Scope, target: tuple[str, str]) -> None:
        self._scope = scope
        self._target = target
        self._masking: dict[str, str] = {}
        self._tags: dict[str, list[tuple[str, str]]] = {}
        self._row_access: tuple[str, list[str]] | None = None
        if isinstance(statement, exp.Create):
            self._take(statement)

    def _take(self, statement: exp.Create) -> None:
        properties = statement.args.get("properties")
        for node in list(properties.find_all(exp.RowAccessProperty)) if properties else []:
            policy = self._checked("ROW ACCESS POLICY", node.this)
            self._row_access = (policy, [_folded(column) for column in node.expressions])
            node.pop()
        if not isinstance(statement.this, exp.Schema):
            return
        for column in statement.this.find_all(exp.ColumnDef):
            for constraint in list(column.constraints):
                self._take_constraint(column, constraint)

    def _take_constraint(self, column: exp.ColumnDef, constraint: exp.ColumnConstraint) -> None:
        kind, name = constraint.args.get("kind"), _folded(column.this)
        if isinstance(kind, exp.MaskingPolicyColumnConstraint):
            self._masking[name] = self._checked("MASKING POLICY", kind.this)
        elif isinstance(kind, exp.Tags):
            for item in kind.expressions:
                tag = self._checked("TAG", item.this)
                self._tags.setdefault(name, []).append((tag, item.args["value"].name))
        else:
            return
        constraint.pop()

    def _checked(self, kind: str, node: exp.Expression) -> str:
        scope = self._scope
        name = scope.full_name(kind, list(_parts(node)))
        scope.require_existing(kind, name)
        # The session owns what it creates.
        if scope.governance.is_enforced and not scope.governance.has(scope.roles, f"APPLY {kind}", "ACCOUNT"):
            scope.governance.require(scope.roles, "APPLY", kind, name)
        return name

    def attach(self) -> None:
        """Attach them to the new object."""
        if not (self._tags or self._masking or self._row_access):
            return
        tags = self._scope.governance.attached(self._target[1]).tags
        for column, values in self._tags.items():
            for tag, value in values:
                _set_tag(self._scope, tag, tags.setdefault(column, {}), value)
        for column, policy in self._masking.items():
            _set_masking(self._scope, self._target, column, policy)
        if self._row_access:
            _add_row_access(self._scope, self._target, *self._row_access)


def _parts(node: exp.Expression) -> Iterator[str]:
    for identifier in node.find_all(exp.Identifier, bfs=False):
        yield _folded(identifier)


def _folded(node: exp.Expression) -> str:
    identifier = node if isinstance(node, exp.Identifier) else node.find(exp.Identifier)
    if identifier is None:
        return str(node.name).upper()
    return str(identifier.name if identifier.quoted else identifier.name.upper())
