"""The report as one HTML file: no scripts, no files beside it, and nothing to download."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from gong_assets.defs.health.charts import LIGHT
from gong_assets.defs.health.figures import PipelineFigures
from gong_assets.defs.health.sections import (
    Section,
    health_table,
    key_figures,
    overall_status,
    sections,
    title_of,
)

_CSS = Path(__file__).with_name("page.css")
_LIGHT = {**LIGHT, "--page": "#f5f6f8", "--card": "#ffffff", "--good": "#146c43", "--bad": "#b42318"}
# On a dark background the series need lighter tones.
_DARK = {
    "--ink": "#e5e9f0",
    "--muted": "#a5aebd",
    "--grid": "#3a4250",
    "--series-0": "#6cb2f5",
    "--series-1": "#fb9a5b",
    "--series-2": "#4fd1bd",
    "--page": "#14171c",
    "--card": "#1e232b",
    "--good": "#5bd08f",
    "--bad": "#ff8a7a",
}
_STATUS_COLORS = {"Healthy": "good", "Empty": "idle"}


def html_report(figures: PipelineFigures) -> str:
    """Return the report as one HTML document, for light and dark themes and for any width."""
    title = escape(title_of(figures))
    status = overall_status(figures)
    color = _STATUS_COLORS.get(status, "bad")
    header = (
        f"<header><h1>{title}</h1>\n<p>Status of the last 7 days: "
        f'<span class="status {color}">{escape(status)}</span> '
        f'<span class="muted">Computed {figures.computed_at:%Y-%m-%d %H:%M} UTC</span></p></header>'
    )
    missing = f"<p class='muted'>Not built yet: {escape(', '.join(figures.unavailable))}.</p>"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_stylesheet()}</style>\n</head>\n<body>\n<main>\n{header}\n"
        f"{_cards(figures)}\n{_windows(figures)}\n"
        f'<div class="charts">\n{"".join(map(_figure, sections(figures)))}</div>\n'
        f"{missing if figures.unavailable else ''}</main>\n</body>\n</html>\n"
    )


def _stylesheet() -> str:
    light, dark = (
        " ".join(f"{name}: {value};" for name, value in colors.items()) for colors in (_LIGHT, _DARK)
    )
    themes = (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )
    return themes + _CSS.read_text("utf-8")


def _cards(figures: PipelineFigures) -> str:
    cards = "".join(
        f'<div class="card"><dt>{escape(each.name)}</dt><dd class="number">{escape(each.value)}</dd>'
        f'<dd class="muted">{escape(each.note)}</dd></div>'
        for each in key_figures(figures)
    )
    return f'<dl class="cards">{cards}</dl>'


def _windows(figures: PipelineFigures) -> str:
    if not figures.windows:
        return ""
    table = _table(*health_table(figures.windows))
    return f'<section class="windows"><h2>Health by time window</h2>{table}</section>'


def _figure(section: Section) -> str:
    legend = "".join(
        f'<li><i style="background:var(--series-{number})"></i>{escape(name)}</li>'
        for number, name in enumerate(section.legend)
    )
    chart = section.svg or '<p class="empty">No data in this period.</p>'
    numbers = _table(section.columns, section.rows) if section.rows else ""
    return (
        f"<figure><figcaption><h2>{escape(section.title)}</h2><p>{escape(section.description)}</p></figcaption>"
        f"{f'<ul class=legend>{legend}</ul>' if legend and section.svg else ''}{chart}"
        f"{f'<details><summary>Show as a table</summary>{numbers}</details>' if numbers else ''}</figure>\n"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
