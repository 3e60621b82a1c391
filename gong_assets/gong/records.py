"""One record of Gong's, kept byte for byte, with the few facts that landing it needs. What the fields mean is
in `models.py`.

A record that does not validate is a record all the same: `validation_error` says what is wrong with it, and
nothing is raised here on its account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from gong_assets.gong.models import CallHeader, GongModel, TranscriptHeader, UserHeader


@dataclass(frozen=True, slots=True)
class Record:
    """A call, a transcript or a user. `Call.model_validate_json(record.raw)` is a call with typed fields.

    `raw` is the JSON as Gong sent it, in UTF-8. `id` is None when it has none; a transcript's is its call's.
    `started` (UTC) and `is_private` are a call's only: `metaData.started`, or `metaData.scheduled` where that
    is missing; None if not readable.
    """

    raw: bytes
    id: str | None
    error: str | None
    started: datetime | None = None
    is_private: bool = False

    @property
    def key(self) -> str:
        """What makes two records the same one: the id, or all of it where there is none."""
        return self.id or hashlib.sha256(self.raw).hexdigest()


def read_call(raw: bytes) -> Record:
    """The record of a call, whatever state it is in."""
    part = _part(_CallPart, raw)
    meta = part.meta_data if isinstance(part.meta_data, dict) else {}
    header, error = _validated(CallHeader, {"metaData": part.meta_data})
    # A private call must be known as such even when it cannot be used for anything else.
    is_private = meta.get("isPrivate") is True
    if header is None:
        return Record(raw, _id(meta.get("id")), error, None, is_private)
    keys = header.meta_data
    return Record(raw, keys.id, None, keys.started or keys.scheduled, is_private or bool(keys.is_private))


def read_transcript(raw: bytes) -> Record:
    """The record of a transcript, whatever state it is in."""
    part = _part(_TranscriptPart, raw)
    _, error = _validated(TranscriptHeader, {"callId": part.call_id})
    return Record(raw, _id(part.call_id), error)


def read_user(raw: bytes) -> Record:
    """The record of a user, whatever state it is in."""
    part = _part(_UserPart, raw)
    _, error = _validated(UserHeader, {"id": part.id})
    return Record(raw, _id(part.id), error)


def validation_error(record: Record) -> str | None:
    """What keeps a record from being used (no id, no readable time), on one line; None when nothing does."""
    return record.error


def content_hash(raw: bytes) -> str:
    """SHA-256 in hex of what a record says, whatever the order of its keys and the white space between them.

    A call's top-level `media` is left out: its links are signed anew for every response. Numbers count as
    they are written, since as floats two long ids would be one.
    """
    record = _exact.decode(raw)
    if isinstance(record, dict):
        record.pop("media", None)
    return hashlib.sha256(msgspec.json.encode(record, order="sorted")).hexdigest()


_exact = msgspec.json.Decoder(float_hook=msgspec.Raw)


class _CallPart(msgspec.Struct, rename="camel"):
    """The keys to read of a call: the other 99 % of its JSON are skipped, not decoded."""

    meta_data: Any = None


class _TranscriptPart(msgspec.Struct, rename="camel"):
    call_id: Any = None


class _UserPart(msgspec.Struct):
    id: Any = None


Part = TypeVar("Part", _CallPart, _TranscriptPart, _UserPart)
Header = TypeVar("Header", bound=GongModel)


def _part(part: type[Part], raw: bytes) -> Part:
    try:
        return msgspec.json.decode(raw, type=part)
    except msgspec.ValidationError:  # JSON, but no object: then it has none of the keys either
        return part()


def _validated(header: type[Header], value: object) -> tuple[Header | None, str | None]:
    try:
        return header.model_validate(value), None
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False)
        )
        return None, "; ".join(faults)


def _id(value: object) -> str | None:
    match value:
        case bool():
            return None
        case str() | int() if value != "":
            return str(value)
        case _:
            return None
