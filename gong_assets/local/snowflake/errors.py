"""Conversion of any error to Snowflake's form: an error code, a SQLSTATE and a one-line message.

Every error of DuckDB, sqlglot and fakesnow is converted, because the connector retries an HTTP 500 response
for minutes. The codes are those that Snowflake returns for the same mistakes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import snowflake.connector.errors
from sqlglot.errors import SqlglotError

_log = logging.getLogger(__name__)


class SnowflakeError(Exception):
    """An error that is returned to the client."""

    def __init__(self, code: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.sqlstate = sqlstate
        self.message = message


@dataclass(frozen=True)
class _Rule:
    """A pattern for a DuckDB message and the Snowflake error for the same mistake."""

    pattern: re.Pattern[str]
    code: int
    sqlstate: str
    message: Callable[[re.Match[str]], str]


def _compilation(text: str) -> Callable[[re.Match[str]], str]:
    return lambda found: "SQL compilation error: " + found.expand(text)


def _plain(text: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found.expand(text)


def _rule(pattern: str, code: int, sqlstate: str, message: Callable[[re.Match[str]], str]) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), code, sqlstate, message)


_NAME = r"[\"']?([^\"'\s!]+)[\"']?"

# The first match wins.
_RULES = (
    _rule(r"No space left on device|Disk quota exceeded|not enough space|Out of disk space", 603, "53100",
          lambda _: "The disk of the local warehouse is full. The transaction was rolled back. Free space "
                    "on the disk of GONG_ASSETS_HOME and run it again."),
    _rule(r"disabled by configuration|disabled through configuration|configuration has been locked", 3001,
          "42501", lambda _: "SQL access control error: Insufficient privileges to access files or settings "
                             "of the server"),
    _rule(r"Python exception occurred while executing the UDF: (?:[\w.]+: )?([^\n]+)", 100351, "P0000",
          _plain(r"\1")),
    _rule(r"[\"']TRY_CAST of ([\w(), ]+)[\"']", 1065, "22023",
          _compilation(r"Function TRY_CAST cannot be used with arguments of type \1")),
    _rule(r"convert string [\"']Unsupported: ([^\"']+)[\"'] to BOOL", 2, "0A000",
          _plain(r"Unsupported feature on the local server: \1")),
    _rule(r"Could not convert string [\"']Division by zero", 100051, "22012", _plain("Division by zero")),
    _rule(r"[\"']not an array of arrays[\"']", 100107, "22000",
          _plain("Not an array: 'Input argument to ARRAY_FLATTEN is not an array of arrays'")),
    _rule(r"[\"'](Key array and value array had unequal lengths in ARRAYS_TO_OBJECT)[\"']", 215001, "22000",
          _plain(r"\1")),
    _rule(r"[\"'](Key supplied for ARRAYS_TO_OBJECT does not have string type)[\"']", 215002, "22000",
          _plain(r"\1")),
    _rule(r"[\"'](Failed to cast variant value to OBJECT)[\"']", 100071, "22000", _plain(r"\1")),
    _rule(r"convert string [\"']Duplicate field key (.*)[\"'] to BOOL", 100103, "22000",
          _plain(r"Duplicate field key '\1'")),
    _rule(r"timestamp field value out of range: \"([^\"]*)\"|invalid timestamp field format: \"([^\"]*)\"",
          100035, "22007",
          lambda found: f"Timestamp '{found.group(1) or found.group(2)}' is not recognized"),
    _rule(r"date field value out of range: \"([^\"]*)\"|invalid date field format: \"([^\"]*)\"",
          100040, "22007",
          lambda found: f"Date '{found.group(1) or found.group(2)}' is not recognized"),
    _rule(r"Could not convert string [\"']([^\"']*)[\"'] to BOOL", 100037, "22018",
          _plain(r"Boolean value '\1' is not recognized")),
    _rule(r"Could not (?:cast value|convert string) [\"']?(-?[\d.]+)[\"']? to DECIMAL", 100039, "22003",
          _plain(r"Numeric value '\1' is out of range")),
    _rule(r"Recursion exceeded max iteration count \((\d+)\)", 100189, "22000",
          _plain(r"Recursion exceeded max iteration count (\1)")),
    _rule(rf"(?:Scalar|Aggregate|Table|Macro)?\s*(?:Function|Macro) with name {_NAME} does not exist",
          2140, "42601", lambda found: f"SQL compilation error: Unknown function {found.group(1).upper()}"),
    _rule(rf"(?:Table|View) with name {_NAME} does not exist", 2003, "42S02",
          _compilation(r"Object '\1' does not exist or not authorized.")),
    _rule(r"No catalog \+ schema named \"?([^\"]+)\"? found", 2043, "02000",
          _compilation(r"Schema '\1' does not exist or not authorized.")),
    _rule(rf"Catalog {_NAME} does not exist", 2003, "02000",
          _compilation(r"Database '\1' does not exist or not authorized.")),
    _rule(rf"Schema with name {_NAME} does not exist", 2003, "02000",
          _compilation(r"Schema '\1' does not exist or not authorized.")),
    _rule(rf"(?:\w+) with name {_NAME} already exists", 2002, "42710",
          _compilation(r"Object '\1' already exists.")),
    _rule(r"Referenced (?:column|table) \"([^\"]+)\" (?:was )?not found", 904, "42000",
          _compilation(r"invalid identifier '\1'")),
    _rule(r"does not have a column (?:named|with name) \"([^\"]+)\"", 904, "42000",
          _compilation(r"invalid identifier '\1'")),
    _rule(r"Ambiguous reference to column name \"([^\"]+)\"", 2028, "42601",
          _compilation(r"ambiguous column name '\1'")),
    _rule(r"column \"?([\w.]+)\"? must appear in the GROUP BY", 979, "42601",
          _compilation(r"'\1' is not a valid group by expression")),
    _rule(r"list dimensions must be equal", 1044, "42P13",
          _compilation(r"Invalid argument types: the vectors have different dimensions")),
    _rule(r"Cannot cast array of size (\d+) to array of size (\d+)", 2023, "22000",
          _compilation(r"Expression type does not match: the vector has dimension \1 instead of \2")),
    _rule(r"Expected array of size (\d+), but got .* with size (\d+)", 100078, "22000",
          _plain(r"Cannot cast an array of \2 elements to a vector of dimension \1")),
    _rule(r"Cannot cast list with length (\d+) to array with length (\d+)", 100078, "22000",
          _plain(r"Cannot cast an array of \1 elements to a vector of dimension \2")),
    _rule(r"No function matches the given name and argument types '([^']+)'", 1044, "42P13",
          _compilation(r"Invalid argument types for function: \1")),
    _rule(r"Malformed JSON[^:]*(?:: )?([^\n]*)", 100069, "22P02", _plain(r"Error parsing JSON: \1")),
    _rule(r"NOT NULL constraint failed: ([\w.\"]+)", 100072, "22000",
          _plain(r"NULL result in a non-nullable column: \1")),
    _rule(r"CHECK constraint failed on table \"?[\w.]+\"? with expression "
          r"CHECK\(+length\(\"?([^\")]+)\"?\) <= (\d+)",
          100078, "22000", _plain(r"A text is too long for \1 VARCHAR(\2) and would be truncated")),
    _rule(r"Could not convert string [\"']([^\"']*)[\"'] to "
          r"(?:U?INT\w*|DECIMAL\S*|DOUBLE|FLOAT|HUGEINT|BIGINT)", 100038, "22018",
          _plain(r"Numeric value '\1' is not recognized")),
    _rule(r"Attempting to write to database \"(\w+)\" in a transaction that has already modified "
          r"database \"(\w+)\"", 603, "0A000",
          _plain(r"A transaction of the local server can write to one database only: this one has written to "
                 r"\2 and cannot write to \1")),
)  # fmt: skip

# Fallback by DuckDB's error class, with DuckDB's message.
_CLASSES: tuple[tuple[type[duckdb.Error], int, str, str], ...] = (
    (duckdb.InterruptException, 604, "57014", "SQL execution canceled"),
    (duckdb.ParserException, 1003, "42000", "SQL compilation error: "),
    (duckdb.CatalogException, 2003, "42S02", "SQL compilation error: "),
    (duckdb.BinderException, 1003, "42000", "SQL compilation error: "),
    (duckdb.ConversionException, 100038, "22018", ""),
    (duckdb.OutOfRangeException, 100046, "22003", ""),
    (duckdb.ConstraintException, 100072, "22000", ""),
    (duckdb.InvalidInputException, 100038, "22018", ""),
    (duckdb.IOException, 603, "58030", ""),
)


def to_snowflake_error(error: Exception) -> SnowflakeError:
    """Return the Snowflake error for an exception that a statement raised."""
    if isinstance(error, SnowflakeError):
        return error
    # fakesnow wraps DuckDB errors with codes of its own; the cause is more specific.
    cause = error if isinstance(error, duckdb.Error) else error.__cause__
    if isinstance(cause, duckdb.Error):
        return _from_duckdb(cause)
    if isinstance(error, snowflake.connector.errors.Error):
        return SnowflakeError(
            error.errno or 603, error.sqlstate or "XX000", _one_line(str(error.raw_msg or error.msg))
        )
    if isinstance(error, SqlglotError):
        return SnowflakeError(1003, "42000", "SQL compilation error: " + _one_line(str(error)))
    if isinstance(error, NotImplementedError):
        return SnowflakeError(2, "0A000", f"Unsupported feature on the local server: {_one_line(str(error))}")
    if isinstance(error, ValueError) and str(error).startswith("Invalid stage name"):
        return SnowflakeError(1003, "42000", f"SQL compilation error: {_one_line(str(error))}")
    _log.error("A statement failed with an internal error.", exc_info=error)
    return SnowflakeError(
        603, "XX000", f"Internal error of the local server: {type(error).__name__}: {error}"
    )


def _from_duckdb(error: duckdb.Error) -> SnowflakeError:
    text = str(error)
    for rule in _RULES:
        if found := rule.pattern.search(text):
            return SnowflakeError(rule.code, rule.sqlstate, _one_line(rule.message(found)))
    # DuckDB's message starts with the error class ("Binder Error: ") and ends with an excerpt of the query.
    message = _one_line(re.sub(r"^\w+(?: \w+)? Error: ", "", text.split("\n\nLINE ")[0]))
    for kind, code, sqlstate, prefix in _CLASSES:
        if isinstance(error, kind):
            return SnowflakeError(code, sqlstate, prefix + message)
    return SnowflakeError(603, "XX000", f"{type(error).__name__}: {message}")


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"\x1b\[\d*m", "", text).split())
