"""Layout of the help texts: plain paragraphs and lists at the width of the terminal.

Typer's own layout shortens the names of options and variables to the columns of a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

# A hyphen at which no line is broken.
_HYPHEN = "\N{NON-BREAKING HYPHEN}"


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]
    """Formatter that breaks no line within the name of an option, such as `--to-date`."""

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(self, rows: Sequence[tuple[str, str]], *arguments: Any, **options: Any) -> None:
        rows = [(name, text.replace("-", _HYPHEN)) for name, text in rows]
        super().write_dl(rows, *arguments, **options)

    def getvalue(self) -> str:
        return str(super().getvalue()).replace(_HYPHEN, "-")


class _Context(typer.Context):
    formatter_class = _Formatter


class HelpGroup(TyperGroup):
    """Group of commands whose help lists them by panel, each with the first paragraph of its help."""

    context_class = _Context

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.context_class = _Context
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            text = " ".join((command.help or "").split("\n\n")[0].split())
            panels.setdefault(command.rich_help_panel or "Commands", []).append((name, text))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)
