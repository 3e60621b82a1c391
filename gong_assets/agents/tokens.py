"""Bearer tokens of the MCP server: named, revocable, and stored as hashes."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from gong_assets.security.private_files import create_private_directory, replace_private_file

PREFIX = "gong_mcp_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class TokenError(Exception):
    """A token cannot be added or revoked. The message says why."""


@dataclass(frozen=True)
class Tokens:
    """The tokens in a file. It is read for each request, so that a revoked token is rejected at once.

    A token has 256 random bits, so its SHA-256 reveals nothing, and needs no salt.
    """

    file: Path

    def add(self, name: str) -> str:
        """Store a new token, and return it: it cannot be shown again.

        Raises:
            TokenError: the name is invalid or in use.
        """
        if not _NAME.fullmatch(name):
            raise TokenError("a name has 1 to 64 letters, digits, dots, hyphens, underscores and @")
        token = PREFIX + secrets.token_urlsafe(32)
        create_private_directory(self.file.parent)
        with self._lock():
            stored = self._read()
            if name in stored:
                raise TokenError(f"there is a token named {name} already: revoke it first")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._write({**stored, name: {"sha256": _hash(token), "created_at": now}})
        return token

    def revoke(self, name: str) -> None:
        """Delete a token.

        Raises:
            TokenError: there is no token of this name.
        """
        if name not in self._read():
            raise TokenError(f"there is no token named {name}")
        with self._lock():
            self._write({other: fields for other, fields in self._read().items() if other != name})

    def created_at(self) -> dict[str, str]:
        """Return the time at which each token was added, by name."""
        return {name: str(fields["created_at"]) for name, fields in self._read().items()}

    def name_of(self, token: str) -> str | None:
        """Return the name of a valid token, or None."""
        digest, found = _hash(token), None
        for name, fields in self._read().items():
            if secrets.compare_digest(digest, str(fields["sha256"])):
                found = name
        return found

    def _lock(self) -> FileLock:
        return FileLock(f"{self.file}.lock")

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            stored: dict[str, dict[str, Any]] = json.loads(self.file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise TokenError(f"{self.file} is not a file with tokens") from error
        return stored

    def _write(self, stored: dict[str, dict[str, Any]]) -> None:
        replace_private_file(self.file, json.dumps(stored, indent=2))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
