"""Charts as self-contained SVG. Colors are CSS variables, so that a page can have two themes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

# Narrow, so that the labels stay readable where a phone scales the chart down.
WIDTH, HEIGHT = 440, 190
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 14, 28
ROW_HEIGHT = 30
LABELED_POINTS = 5

# Distinguishable for color-blind readers, and readable on white.
LIGHT = {
    "--ink": "#1f2937",
    "--muted": "#5b6472",
    "--grid": "#d9dee5",
    "--series-0": "#1d6fb8",
    "--series-1": "#c2410c",
    "--series-2": "#0f766e",
}

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:var(--muted)}.chart-grid{stroke:var(--grid)}"
    ".chart-line{fill:none;stroke-width:2.5;stroke-linejoin:round}.chart-value{fill:var(--ink)}"
)


@dataclass(frozen=True)
class Series:
    """A named row of values; None where there is none."""

    name: str
    values: Sequence[float | None]


Format = Callable[[float], str]


def bar_chart(title: str, labels: Sequence[str], series: Series, show: Format) -> str:
    """Return a chart with one bar for each label."""
    top = _nice_maximum([series])
    width = _plot_width() / max(1, len(labels))
    bars = []
    for index, value in enumerate(series.values):
        height = (value or 0) / top * _plot_height()
        bars.append(
            f'<rect x="{LEFT + index * width + width * 0.1:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" '
            f'width="{width * 0.8:.1f}" height="{height:.1f}" rx="1.5" fill="var(--series-0)">'
            f"<title>{escape(labels[index])}: {escape(show(value or 0))}</title></rect>"
        )
    centers = [LEFT + (index + 0.5) * width for index in range(len(labels))]
    return _svg(title, HEIGHT, _axes(labels, centers, 0, top, show) + "".join(bars))


def line_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    show: Format,
    limits: tuple[float, float] | None = None,
) -> str:
    """Return a chart with a line for each series, interrupted where a value is missing.

    Args:
        limits: lower and upper end of the axis; by default 0 and the greatest value.
    """
    low, high = limits or (0, _nice_maximum(series))
    step = _plot_width() / max(1, len(labels) - 1)
    centers = [
        LEFT + index * step if len(labels) > 1 else LEFT + _plot_width() / 2 for index in range(len(labels))
    ]
    parts = [_axes(labels, centers, low, high, show)]
    for number, each in enumerate(series):
        color = f"var(--series-{number})"
        points: list[tuple[float, float, str] | None] = [
            None
            if value is None
            else (centers[index], _y(value, low, high), f"{labels[index]}, {each.name}: {show(value)}")
            for index, value in enumerate(each.values)
        ]
        parts += [_path(run, color) for run in _runs(points)]
        parts += [
            f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3" fill="{color}"><title>{escape(point[2])}'
            "</title></circle>"
            for point in points
            if point
        ]
    return _svg(title, HEIGHT, "".join(parts))


def row_chart(title: str, labels: Sequence[str], values: Sequence[float], show: Format) -> str:
    """Return a chart with a horizontal bar for each label."""
    left = 145
    top = max(values, default=0) or 1
    rows = []
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = TOP + index * ROW_HEIGHT
        width = value / top * (WIDTH - left - 70)
        rows.append(
            f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{left}" y="{y}" width="{max(width, 1):.1f}" height="20" rx="2" '
            'fill="var(--series-0)"/>'
            f'<text class="chart-value" x="{left + width + 8:.1f}" y="{y + 15}">{escape(show(value))}</text>'
        )
    return _svg(title, TOP * 2 + max(1, len(labels)) * ROW_HEIGHT, "".join(rows))


def standalone(svg: str) -> str:
    """Return the chart with its own colors on white, to be shown as an image on any page."""
    colors = ";".join(f"{name}:{value}" for name, value in LIGHT.items())
    return svg.replace("<style>", f"<style>svg{{{colors};background:#fff}}", 1)


def _plot_width() -> float:
    return WIDTH - LEFT - RIGHT


def _plot_height() -> float:
    return HEIGHT - TOP - BOTTOM


def _y(value: float, low: float, high: float) -> float:
    fraction = (value - low) / ((high - low) or 1)
    return HEIGHT - BOTTOM - min(1.0, max(0.0, fraction)) * _plot_height()


def _nice_maximum(series: Sequence[Series]) -> float:
    """Return the smallest of 1, 2, 4, 5, 8 or 10 times a power of ten that is above all values."""
    highest = max((value for each in series for value in each.values if value is not None), default=0.0)
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(factor * power for factor in (1, 2, 4, 5, 8, 10) if factor * power >= highest)


def _axes(labels: Sequence[str], centers: Sequence[float], low: float, high: float, show: Format) -> str:
    parts = []
    for quarter in range(5):
        value = low + (high - low) * quarter / 4
        y = _y(value, low, high)
        parts.append(
            f'<line class="chart-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(show(value))}</text>'
        )
    every = max(1, math.ceil(len(labels) / LABELED_POINTS))
    # From the right, so that the latest point has its label.
    for index in range(len(labels) - 1, -1, -every):
        anchor = "end" if centers[index] > WIDTH - RIGHT - 30 else "middle"
        parts.append(
            f'<text x="{centers[index]:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">'
            f"{escape(labels[index])}</text>"
        )
    return "".join(parts)


def _runs(points: Sequence[tuple[float, float, str] | None]) -> list[list[tuple[float, float, str]]]:
    """Return the stretches of points without a gap."""
    runs: list[list[tuple[float, float, str]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if len(run) > 1]


def _path(points: Sequence[tuple[float, float, str]], color: str) -> str:
    path = " L".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    return f'<path class="chart-line" stroke="{color}" d="M{path}"/>'


def _svg(title: str, height: float, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>{content}</svg>'
    )
