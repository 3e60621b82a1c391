"""The YAML that defines a Pulumi ESC environment: replacing one secret in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import yaml  # type: ignore[import-untyped]

_STORED = "fn::secret"
_REFERENCE = re.compile(r"\$\{([\w.-]+)\}")


class UnknownSecret(Exception):
    """The definition has no secret for a variable."""


def with_secret(text: str, variable: str, secret: str) -> str:
    """Return the definition with another secret for a variable, and nothing else changed.

    The secret is at `environmentVariables`, at a key to which it refers there (`${key}`), or at the
    lower-case name at the top.

    Raises:
        UnknownSecret: there is none, or its value is not a stored secret, such as one that ESC rotates.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for path in (["values", "environmentVariables", variable], ["values", variable.lower()]):
        node = _at(root, path)
        if isinstance(node, yaml.ScalarNode) and (found := _REFERENCE.fullmatch(node.value)):
            node = _at(root, ["values", *found[1].split(".")])
        if (value := _at(node, [_STORED])) is not None:
            start, end = value.start_mark.index, value.end_mark.index
            # A block ends after its line breaks.
            after = text[start:end][len(text[start:end].rstrip()) :]
            return text[:start] + json.dumps(secret) + after + text[end:]
    raise UnknownSecret(f"it has no {_STORED} for {variable}")


def _at(node: yaml.Node | None, path: Sequence[str]) -> yaml.Node | None:
    for name in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for key, value in node.value if key.value == name), None)
    return node
