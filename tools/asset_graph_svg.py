"""The picture of the asset graph in the README, drawn from the snapshot of the graph that the tests use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

SNAPSHOT = Path(__file__).parents[1] / "gong_assets_tests" / "data" / "asset_graph.json"

# The layers of each column, in the direction of the data flow, and the color of each layer.
COLUMNS = (("raw",), ("staging",), ("cortex", "hubspot"), ("enriched", "monitoring", "health"))
COLORS = {
    "raw": "#6b7280",
    "staging": "#2563eb",
    "cortex": "#7c3aed",
    "hubspot": "#ea580c",
    "enriched": "#059669",
    "monitoring": "#b45309",
    "health": "#be185d",
}

NODE_WIDTH, NODE_HEIGHT, ROW = 234, 21, 27
COLUMN_GAP, GROUP_GAP, MARGIN, TITLE = 84, 26, 18, 26

Point = tuple[float, float]


def asset_graph_svg() -> str:
    """Return docs/images/asset_graph.svg."""
    graph: dict[str, dict[str, list[str]]] = json.loads(SNAPSHOT.read_text("utf-8"))
    parents = {name: [each for each in asset["deps"] if each in graph] for name, asset in graph.items()}
    layers = {layer: [name for name in graph if graph[name]["group"] == layer] for layer in COLORS}
    _untangle(layers, parents)
    positions = _positions(layers)
    width = 2 * MARGIN + len(COLUMNS) * NODE_WIDTH + (len(COLUMNS) - 1) * COLUMN_GAP + COLUMN_GAP // 2
    height = max(y for _, y in positions.values()) + NODE_HEIGHT + MARGIN
    edges = [
        _edge(positions[parent], positions[child], COLORS[str(graph[child]["group"])])
        for child, names in parents.items()
        for parent in names
    ]
    nodes = [_node(name, positions[name], COLORS[layer]) for layer in layers for name in layers[layer]]
    titles = [_title(layer, positions[layers[layer][0]]) for layer in layers]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *sorted(edges),
            *titles,
            *nodes,
            "</svg>\n",
        ]
    )


def _untangle(layers: Mapping[str, list[str]], parents: Mapping[str, Sequence[str]]) -> None:
    """Sort each layer by the average row of its neighbors, so that fewer edges cross."""
    neighbors: dict[str, list[str]] = {name: list(names) for name, names in parents.items()}
    for child, names in parents.items():
        for parent in names:
            neighbors[parent].append(child)
    for _ in range(20):
        for layer in layers:
            rows = {name: y for name, (_, y) in _positions(layers).items()}
            layers[layer].sort(
                key=lambda name: (mean([rows[each] for each in neighbors[name]] or [rows[name]]), name)
            )


def _positions(layers: Mapping[str, Sequence[str]]) -> dict[str, Point]:
    """Return the upper left corner of each asset."""
    positions: dict[str, Point] = {}
    for number, column in enumerate(COLUMNS):
        y = MARGIN
        for layer in column:
            y += TITLE
            for name in layers[layer]:
                positions[name] = (MARGIN + number * (NODE_WIDTH + COLUMN_GAP), y)
                y += ROW
            y += GROUP_GAP
    return positions


def _edge(start: Point, end: Point, color: str) -> str:
    x1, y1 = start[0] + NODE_WIDTH, start[1] + NODE_HEIGHT / 2
    is_same_column = start[0] == end[0]
    x2, y2 = end[0] + (NODE_WIDTH if is_same_column else 0), end[1] + NODE_HEIGHT / 2
    bend = 14 + abs(y2 - y1) / 12 if is_same_column else (x2 - x1) / 2
    c2 = x2 + bend if is_same_column else x2 - bend
    return (
        f'<path d="M{x1:g} {y1:g}C{x1 + bend:.1f} {y1:g} {c2:.1f} {y2:g} {x2:g} {y2:g}" '
        f'fill="none" stroke="{color}" stroke-opacity="0.35"/>'
    )


def _title(layer: str, first: Point) -> str:
    x, y = first
    return (
        f'<text x="{x}" y="{y - 9}" fill="{COLORS[layer]}" font-weight="bold" font-size="13">{layer}</text>'
    )


def _node(name: str, corner: Point, color: str) -> str:
    x, y = corner
    return (
        f'<rect x="{x}" y="{y}" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="4" fill="#ffffff" '
        f'stroke="{color}"/><text x="{x + 7}" y="{y + 14.5}" fill="#111827">{name}</text>'
    )
