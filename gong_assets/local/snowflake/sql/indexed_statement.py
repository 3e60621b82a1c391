"""fakesnow's transforms of a statement, each called only for the nodes that it can change.

fakesnow walks the whole tree of a statement for each of its 70 transforms, and most of them change none of
its nodes. A transform checks the class of its argument before it changes anything. The classes that it checks
are read from its source, and it is called for nodes of these classes only. A transform without such a check
is called for all nodes.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache, partial
from itertools import chain
from operator import itemgetter
from types import CodeType, FunctionType
from typing import Any

from fakesnow import transforms
from sqlglot import exp

Transform = Callable[..., exp.Expression]
Classes = tuple[type, ...]
ALL: Classes = (exp.Expr,)


class IndexedStatement:
    """Stands for a statement in a chain of `transform` calls.

    Attributes:
        root: the statement, as it is after the last call.
    """

    def __init__(self, root: exp.Expression) -> None:
        self.root = root
        self._nodes: dict[type, list[tuple[int, exp.Expression]]] = {}  # with their places in the tree

    def transform(self, function: Transform, *, copy: bool, **options: Any) -> IndexedStatement:
        """Replace nodes as `sqlglot.Expression.transform` does, without visiting those that cannot change.

        Nodes that a call adds below its argument are not visited. fakesnow never asks for a copy.
        """
        if not self._nodes:
            for place, node in enumerate(self.root.dfs()):
                self._nodes.setdefault(type(node), []).append((place, node))
        classes = changed_classes(function)
        found = [nodes for kind, nodes in self._nodes.items() if issubclass(kind, classes)]
        if found:
            nodes = [node for _, node in sorted(chain(*found), key=itemgetter(0))]
            self._replace(nodes, partial(function, **options))
            self._nodes = {}
        return self

    def _replace(self, nodes: list[exp.Expression], function: Transform) -> None:
        replaced: set[int] = set()  # the IDs of replaced nodes, and of those in their places
        kept = []  # so that no ID is used again
        for node in nodes:
            if replaced and not self._is_reached(node, replaced):
                continue
            parent, key, index = node.parent, node.arg_key, node.index
            new = function(node)
            if new is node:
                continue
            replaced |= {id(node), id(new)}
            kept += [node, new]
            if node is self.root:
                self.root = new
            elif parent is not None and key:
                parent.set(key, new, index)

    def _is_reached(self, node: exp.Expression, replaced: set[int]) -> bool:
        """Return whether a node is still in the tree, and not below one that was replaced."""
        above: exp.Expression | None = node
        while above is not None and id(above) not in replaced:
            if above is self.root:
                return True
            above = above.parent
        return False


def changed_classes(function: Callable[..., Any]) -> Classes:
    """Return the classes of the nodes that a transform can change.

    fakesnow passes some transforms in a lambda, which calls one of them by its name.
    """
    if not isinstance(function, FunctionType):
        return ALL
    if function.__name__ == "<lambda>":
        return _classes_of_lambda(function.__code__)
    return _checked_classes(function)


@cache
def _classes_of_lambda(code: CodeType) -> Classes:
    named = [getattr(transforms, name, None) for name in code.co_names]
    called = [function for function in named if isinstance(function, FunctionType)]
    return tuple(chain(*map(_checked_classes, called))) or ALL


@cache
def _checked_classes(function: FunctionType) -> Classes:
    definition: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    argument = definition.args.args[0].arg
    classes: list[type] = []
    for node in ast.walk(definition):
        match node:
            case ast.Call(func=ast.Name("isinstance"), args=[ast.Name(checked), kinds]) if (
                checked == argument
            ):
                value = eval(ast.unparse(kinds), function.__globals__)  # noqa: S307 - of the source of a library
                classes += value if isinstance(value, tuple) else [value]
    return tuple(classes) or ALL
