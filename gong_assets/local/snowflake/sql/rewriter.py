"""The engine that applies rewrites to the syntax tree of a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlglot import exp

# The types of nodes that rewrites create for later ones.
_CREATED_TYPES: set[type[exp.Expression]] = {
    exp.Anonymous, exp.Array, exp.Cast, exp.Coalesce, exp.DataType, exp.Identifier, exp.JSONExtract,
    exp.Literal, exp.Select, exp.Struct, exp.TryCast,
}  # fmt: skip


class Rewrite(NamedTuple):
    """A function that replaces nodes of certain types; it returns the node itself to leave it unchanged."""

    node_types: tuple[type[exp.Expression], ...]
    replace: Callable[..., exp.Expression]


def apply_rewrites(statement: exp.Expression, rewrites: Iterable[Rewrite]) -> exp.Expression:
    """Apply the rewrites in order, each to all matching nodes of the tree, and return the new root.

    Nodes are visited innermost first, so that the argument of a call is rewritten before the call. A rewrite
    of nodes that the statement does not have is skipped, because each visit of a tree takes time.
    """
    present = {type(node) for node in statement.walk()} | _CREATED_TYPES
    for node_types, replace in rewrites:
        if not any(issubclass(kind, node_types) for kind in present):
            continue
        for node in reversed(list(statement.find_all(*node_types))):
            replacement = replace(node)
            if replacement is node:
                continue
            if node is statement:
                statement = replacement
            else:
                node.replace(replacement)
    return statement
