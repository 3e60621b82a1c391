"""The tests that one statement evaluates, as one node of dbt.

The tests of a model share a statement, see `macros/materializations/test.sql`. As nodes of their own, each of
them takes dbt about 20 ms to compile and run. So dbt runs the first test of each group for all of it, and
the others only if one of them does not pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# A list in the node of the first test, which the macro reads.
GROUP = "group_of_tests"


def group_tests(manifest: Manifest, selected: Collection[str]) -> dict[str, list[str]]:
    """Leave in the manifest the selected tests, and of each group only the first one.

    Args:
        manifest: changed in place. Its flat graph, which macros read, keeps all tests.
        selected: unique IDs of tests.

    Returns:
        The unique IDs of the tests of each group, by that of its first test.
    """
    nodes: dict[str, Any] = dict(manifest.nodes)
    groups: dict[object, list[Any]] = defaultdict(list)
    for unique_id, node in nodes.items():
        if node.resource_type == "test":
            if unique_id in selected:
                groups[_group_of(node, nodes)].append(node)
            del manifest.nodes[unique_id]
    tests = {}
    for group in groups.values():
        # dbt builds nothing on a model of which a test of this severity fails.
        group.sort(key=lambda test: test.config.severity.upper() != "ERROR")
        first = group[0]
        tests[first.unique_id] = [test.unique_id for test in group]
        if len(group) > 1:
            first.meta = {**first.meta, GROUP: tests[first.unique_id]}
            # The name in dbt's output.
            first.name = f"tests_of_{nodes[first.attached_node].name}"
        manifest.nodes[first.unique_id] = first
    return tests


def _group_of(test: Any, nodes: Mapping[str, Any]) -> object:
    """Return the same value for all tests that one statement evaluates, as `_group_of` in `test.sql`."""
    config = test.config
    attached = getattr(test, "attached_node", None)
    if attached is None or config.limit or config.store_failures:
        return test.unique_id
    known = {attached, *nodes[attached].depends_on.nodes}
    return attached, frozenset(test.depends_on.nodes) - known


def of_test(event: Mapping[str, Any], unique_id: str) -> dict[str, Any]:
    """Return dbt's event about a test of a group, as one about another test of it."""
    data = event["data"]
    return {**event, "data": {**data, "node_info": {**data["node_info"], "unique_id": unique_id}}}
