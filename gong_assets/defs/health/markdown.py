"""The report as Markdown, with its charts as SVG images in data URIs, which the Dagster UI shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from gong_assets.defs.health.charts import standalone
from gong_assets.defs.health.figures import PipelineFigures
from gong_assets.defs.health.sections import health_table, key_figures, overall_status, sections, title_of
from gong_assets.security.texts import markdown


def markdown_report(figures: PipelineFigures) -> str:
    """Return the report as Markdown. Its tables are in the HTML page only, to keep Dagster's events small."""
    parts = [
        f"## {title_of(figures)}",
        f"Status of the last 7 days: **{markdown(overall_status(figures))}**",
        _table(
            ("Figure", "Value", ""), [(each.name, each.value, each.note) for each in key_figures(figures)]
        ),
    ]
    if figures.windows:
        parts.append(_table(*health_table(figures.windows)))
    for section in sections(figures):
        if section.svg:
            legend = f" Lines: {_legend(section.legend)}." if section.legend else ""
            parts += [
                f"### {section.title}",
                f"{section.description}{legend}",
                _image(section.title, section.svg),
            ]
    if figures.unavailable:
        parts.append(f"Not built yet: {', '.join(map(markdown, figures.unavailable))}.")
    return "\n\n".join(parts)


# The colors of charts.LIGHT, in words: an image cannot have a legend that follows the text.
_COLORS = ("blue", "orange", "green")


def _legend(names: Sequence[str]) -> str:
    return ", ".join(f"{name} ({color})" for name, color in zip(names, _COLORS, strict=False))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _image(title: str, svg: str) -> str:
    content = base64.b64encode(standalone(svg).encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{content})"
