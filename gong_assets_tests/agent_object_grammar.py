"""A reader of CREATE SEMANTIC VIEW, AGENT and MCP SERVER by Snowflake's documented grammar.

Neither sqlglot nor sqlparser-rs knows these statements. This one is written from the documentation, and
accepts only the clauses that the project uses, in the documented order. The SQL in them is for the other
parsers.

https://docs.snowflake.com/en/sql-reference/sql/create-semantic-view
https://docs.snowflake.com/en/sql-reference/sql/create-agent
https://docs.snowflake.com/en/sql-reference/sql/create-mcp-server
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

_STRING = r"'(?:[^'\\]|''|\\\\)*'"
_SYNONYMS = rf"(?:\s+WITH SYNONYMS = \({_STRING}(?:, {_STRING})*\))?"
_COMMENT = rf"\s+COMMENT = {_STRING}"
_TABLE = re.compile(rf"(\w+) AS \((.+?)\)\s+PRIMARY KEY \((\w+)\){_SYNONYMS}{_COMMENT}", re.DOTALL)
_RELATIONSHIP = re.compile(r"\w+ AS (\w+) \((\w+)\) REFERENCES (\w+) \((\w+)\)")
_EXPRESSION = re.compile(rf"(\w+)\.(\w+) AS (.+?){_SYNONYMS}{_COMMENT}", re.DOTALL)
_VERIFIED = re.compile(
    rf"(\w+) AS \(\s*QUESTION ({_STRING})\s+ONBOARDING_QUESTION TRUE\s+SQL ({_STRING})\s*\)", re.DOTALL
)
_LISTS = {
    "TABLES": _TABLE,
    "RELATIONSHIPS": _RELATIONSHIP,
    "FACTS": _EXPRESSION,
    "DIMENSIONS": _EXPRESSION,
    "METRICS": _EXPRESSION,
    "AI_VERIFIED_QUERIES": _VERIFIED,
}
_AGENT = re.compile(
    rf"CREATE (?:OR REPLACE )?AGENT ([\w.]+)\s+COPY GRANTS{_COMMENT}\s+FROM SPECIFICATION\s+\$\$(.*)\$\$",
    re.DOTALL,
)
_MCP_SERVER = re.compile(
    r"CREATE (?:OR REPLACE )?MCP SERVER ([\w.]+)\s+FROM SPECIFICATION \$\$(.*)\$\$", re.DOTALL
)


@dataclass
class ParsedView:
    """The clauses of a semantic view; each entry has the parts of its grammar."""

    name: str
    lists: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, str]:
        """The query of each logical table."""
        return {name: query for name, query, _ in self.lists["TABLES"]}

    @property
    def columns(self) -> set[tuple[str, str]]:
        """Facts and dimensions by table."""
        return {(table, name) for clause in ("FACTS", "DIMENSIONS") for table, name, _ in self.lists[clause]}

    @property
    def verified_queries(self) -> dict[str, str]:
        """The SQL of each question."""
        return {_text(question): _text(sql) for _, question, sql in self.lists["AI_VERIFIED_QUERIES"]}


def parse_semantic_view(statement: str) -> ParsedView:
    """Return the parts of the statement.

    Raises:
        ValueError: the statement is not of the documented grammar.
    """
    head = re.match(r"CREATE (?:OR REPLACE )?SEMANTIC VIEW ([\w.]+)\s+", statement)
    if head is None:
        raise ValueError(f"no semantic view: {statement[:80]}")
    parsed = ParsedView(head[1])
    rest = statement[head.end() :]
    for keyword, grammar in _LISTS.items():
        if keyword == "AI_VERIFIED_QUERIES":
            rest = _after(rf"COMMENT = {_STRING}\s+AI_SQL_GENERATION {_STRING}\s+", rest)
        if not rest.startswith(keyword):
            parsed.lists[keyword] = []
            continue
        entries, rest = _parenthesized(_after(rf"{keyword}\s+(?=\()", rest))
        parsed.lists[keyword] = [_matched(grammar, entry) for entry in entries]
    _after(r"COPY GRANTS\Z", rest)
    return parsed


def parse_agent(statement: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the specification."""
    name, specification = _matched(_AGENT, statement)
    return name, yaml.safe_load(specification)


def parse_mcp_server(statement: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the specification."""
    name, specification = _matched(_MCP_SERVER, statement)
    return name, yaml.safe_load(specification)


def _after(pattern: str, text: str) -> str:
    if found := re.match(pattern, text):
        return text[found.end() :]
    raise ValueError(f"expected {pattern} at {text[:80]!r}")


def _matched(grammar: re.Pattern[str], entry: str) -> tuple[str, ...]:
    if found := grammar.fullmatch(entry):
        return found.groups()
    raise ValueError(f"not of the grammar: {entry[:200]!r}")


def _parenthesized(text: str) -> tuple[list[str], str]:
    """Return the entries between the first parenthesis and the one that closes it, and the rest."""
    entries, start = [], 1
    for token, depth in _depths(text):
        if depth == 0 or (depth == 1 and token.token_type is TokenType.COMMA):
            entries.append(text[start : token.start].strip())
            start = token.end + 1
        if depth == 0:
            return entries, text[start:].strip()
    raise ValueError(f"a parenthesis is open: {text[:80]!r}")


def _depths(text: str) -> Iterator[tuple[Token, int]]:
    depth = 0
    try:
        tokens = Snowflake.Tokenizer().tokenize(text)
    except TokenError as error:
        raise ValueError(f"a string is open: {error}") from error
    for token in tokens:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        yield token, depth


def _text(constant: str) -> str:
    return constant[1:-1].replace("''", "'").replace("\\\\", "\\")
