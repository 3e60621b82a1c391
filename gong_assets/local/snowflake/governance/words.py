"""A cursor over the words of a statement that sqlglot does not parse."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot.tokens import Token, TokenType

from gong_assets.local.snowflake.errors import SnowflakeError

Value = str | list[str] | bool


class Words:
    """The tokens of a statement, which are taken from the front."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens: list[Token] = [
            token
            for token in sqlglot.tokenize(sql, read="snowflake")
            if token.token_type is not TokenType.SEMICOLON
        ]
        self._place = 0

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._tokens)

    def sees(self, *words: str) -> bool:
        """Return whether these words come next."""
        following = self._tokens[self._place : self._place + len(words)]
        return [token.text.upper() for token in following] == list(words)

    def take(self, *words: str) -> bool:
        """Take these words if they come next."""
        if not self.sees(*words):
            return False
        self._place += len(words)
        return True

    def take_one(self, *phrases: str) -> str | None:
        """Take the first phrase that comes next, and return it."""
        return next((phrase for phrase in phrases if self.take(*phrase.split())), None)

    def expect(self, *words: str) -> None:
        """Take these words; raises SnowflakeError if others come next."""
        if not self.take(*words):
            raise self.error()

    def next(self) -> Token:
        if self.at_end:
            raise self.error()
        self._place += 1
        return self._tokens[self._place - 1]

    def identifier(self) -> str:
        """Take one part of a name, in the case in which it is stored."""
        token = self.next()
        if token.token_type is TokenType.IDENTIFIER or token.token_type is TokenType.STRING:
            return str(token.text)
        return str(token.text.upper())

    def name(self) -> list[str]:
        """Take a name with its qualifiers."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        return parts

    def list_of_names(self) -> list[str]:
        """Take names in parentheses."""
        self.expect("(")
        names = []
        while not self.take(")"):
            names.append(".".join(self.name()))
            self.take(",")
        return names

    def properties(self) -> dict[str, Value]:
        """Take `NAME = value` until the end; other words are skipped."""
        found: dict[str, Value] = {}
        while not self.at_end:
            token = self.next()
            if self.take("="):
                found[token.text.upper()] = self.value()
        return found

    def value(self) -> Value:
        """Take a text, number, word, or list of them in parentheses."""
        if not self.take("("):
            token = self.next()
            if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER):
                return str(token.text)
            word = str(token.text.upper())
            while self.take("."):
                word += f".{self.identifier()}"
            return word == "TRUE" if word in ("TRUE", "FALSE") else word
        values = []
        while not self.take(")"):
            values.append(self.next().text)
            self.take(",")
        return values

    def text(self) -> str:
        """Return the text that is left, as it was written."""
        if self.at_end:
            return ""
        return self._sql[self._tokens[self._place].start : self._tokens[-1].end + 1]

    def text_until(self, *words: str) -> str:
        """Take the text before the last occurrence of these words, or all that is left."""
        start = self._place
        for place in range(len(self._tokens) - len(words), start, -1):
            following = [token.text.upper() for token in self._tokens[place : place + len(words)]]
            if following == list(words):
                self._place = place
                return self._sql[self._tokens[start].start : self._tokens[place - 1].end + 1]
        text = self.text()
        self._place = len(self._tokens)
        return text

    def error(self) -> SnowflakeError:
        word: Any = self._tokens[self._place].text if not self.at_end else "<EOF>"
        return SnowflakeError(
            1003, "42000", f"SQL compilation error: syntax error line 1 unexpected '{word}'."
        )
