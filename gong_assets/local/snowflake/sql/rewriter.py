"""The engine that applies rewrites to the syntax tree of a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlglot import exp


class Rewrite(NamedTuple):
    """A function that replaces nodes of certain types; it returns the node itself to leave it unchanged."""

    node_types: tuple[type[exp.Expression], ...]
    replace: Callable[..., exp.Expression]


def apply_rewrites(statement: exp.Expression, rewrites: Iterable[Rewrite]) -> exp.Expression:
    """Apply the rewrites in order, each to all matching nodes of the tree, and return the new root.

    Nodes are visited innermost first, so that the argument of a call is rewritten before the call.
    """
    for node_types, replace in rewrites:
        for node in reversed(list(statement.find_all(*node_types))):
            replacement = replace(node)
            if replacement is node:
                continue
            if node is statement:
                statement = replacement
            else:
                node.replace(replacement)
    return statement
