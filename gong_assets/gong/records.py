"""Records of Gong's lists, kept byte for byte, with the few fields that landing needs.

`models.py` has all fields. An invalid record is a record as well: `validation_error` says what is wrong with
it, and nothing is raised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError

from gong_assets.gong.models import (
    MAX_ID_LENGTH,
    CallHeader,
    CallKeys,
    GongModel,
    Maybe,
    TranscriptHeader,
    UserHeader,
    UtcTime,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One element of a list. `Call.model_validate_json(record.raw)` is a call with typed fields.

    `raw` is the JSON as Gong sent it, in UTF-8. `id` is None if there is none; a transcript has the id of its
    call. Only calls have `started` (UTC) and `is_private`: `metaData.started`, or `metaData.scheduled` if
    that is missing; None if not readable. `day` is the day of a statistic (in the company's time zone) or of
    a scorecard's review (in UTC); None if not readable, and for records without a day.
    """

    raw: bytes
    id: str | None
    error: str | None
    started: datetime | None = None
    is_private: bool = False
    day: date | None = None

    @property
    def key(self) -> str:
        """Identifies the record: its id, or a hash of all of it if there is none."""
        return self.id or hashlib.sha256(self.raw).hexdigest()


def read_call(raw: bytes) -> Record:
    """Return the record of a call, valid or not."""
    try:
        keys = _usual_call.decode(raw).meta_data
        started = datetime.fromisoformat(keys.started).astimezone(UTC)
    except (ValueError, OverflowError):
        return _read_unusual_call(raw)
    return Record(raw, keys.id, None, started, keys.is_private is True)


def _read_unusual_call(raw: bytes) -> Record:
    part = _part(_CallPart, raw)
    meta = part.meta_data if isinstance(part.meta_data, dict) else {}
    header, error = _validated(CallHeader, {"metaData": part.meta_data})
    # A private call must be recognized even if nothing else of it is readable.
    is_private = meta.get("isPrivate") is True
    if header is None:
        return Record(raw, _id(meta.get("id")), error, None, is_private)
    keys = header.meta_data
    started = keys.started or keys.scheduled
    return Record(raw, keys.id, None, started, is_private or bool(keys.is_private))


def read_listed_call(raw: bytes) -> Record:
    """Return the record of a call in the list of GET /v2/calls, which has the fields of `metaData` only."""
    part = _part(_ListedCallPart, raw)
    keys, error = _validated(CallKeys, msgspec.structs.asdict(part))
    is_private = part.is_private is True
    if keys is None:
        return Record(raw, _id(part.id), error, None, is_private)
    started = keys.started or keys.scheduled
    return Record(raw, keys.id, None, started, is_private or bool(keys.is_private))


def read_transcript(raw: bytes) -> Record:
    """Return the record of a transcript, valid or not."""
    part = _part(_TranscriptPart, raw)
    _, error = _validated(TranscriptHeader, {"callId": part.call_id})
    return Record(raw, _id(part.call_id), error)


def read_user(raw: bytes) -> Record:
    """Return the record of a user, valid or not."""
    part = _part(_UserPart, raw)
    _, error = _validated(UserHeader, {"id": part.id})
    return Record(raw, _id(part.id), error)


def id_reader(key: str) -> Callable[[bytes], Record]:
    """Return a parser for records that have their id under `key`, and no other field that landing needs."""
    part: type[Any] = msgspec.defstruct("Part", [("id", Any, None)], rename={"id": key})

    def read(raw: bytes) -> Record:
        found = _id(_part(part, raw).id)
        return Record(raw, found, None if found else _missing(key))

    return read


def read_answered_scorecard(raw: bytes) -> Record:
    """Return the record of a scorecard filled in for a call. Its day is that of the review, in UTC."""
    part = _part(_AnsweredScorecardPart, raw)
    reviewed = _time.validate_python(part.review_time)
    found = _id(part.answered_scorecard_id)
    error = _joined(
        None if found else _missing("answeredScorecardId"), None if reviewed else _missing("reviewTime")
    )
    return Record(raw, found, error, day=reviewed.date() if reviewed else None)


def with_folder(folder: Record, call: Record) -> Record:
    """Return a library call or a snippet together with its folder: neither has the other's fields."""
    snippet = _part(_LibraryCallPart, call.raw).snippet
    cut = f"/{snippet.get('fromSec')}-{snippet.get('toSec')}" if isinstance(snippet, dict) else ""
    return Record(
        raw=b'{"folder":' + folder.raw + b',"call":' + call.raw + b"}",
        id=f"{folder.id}/{call.id}{cut}" if folder.id and call.id else None,
        error=_joined(
            f"folder.{folder.error}" if folder.error else None, f"call.{call.error}" if call.error else None
        ),
    )


def with_day(day: date, statistic: Record) -> Record:
    """Return a user's statistic as that of a day: Gong's record does not have the day that was requested."""
    return replace(statistic, id=f"{day}/{statistic.id}" if statistic.id else None, day=day)


def split_by_day(user: Record) -> Iterator[Record]:
    """Yield a user's activity on several days as one record for each day, with only that day in it.

    A day without any activity has no record. Gong lists such days only for users who were active on another
    day of the request, so that the records would depend on the range requested.
    """
    try:
        fields = msgspec.json.decode(user.raw, type=dict[str, msgspec.Raw])
        days = msgspec.json.decode(fields[_DAYS], type=list[msgspec.Raw])
    except (msgspec.ValidationError, KeyError):
        yield replace(user, id=None, error=_joined(user.error, _missing(_DAYS)))
        return
    for entry in days:
        if _is_idle(bytes(entry)):
            continue
        raw = msgspec.json.encode(fields | {_DAYS: [entry]})
        day = _date(_part(_DayPart, bytes(entry)).from_date)
        if day is None:
            yield Record(raw, None, _joined(user.error, _missing(f"{_DAYS}.fromDate")))
        else:
            yield with_day(day, replace(user, raw=raw))


def _is_idle(entry: bytes) -> bool:
    fields = msgspec.json.decode(entry)
    if not isinstance(fields, dict):
        return False
    activities = [value for name, value in fields.items() if name not in ("fromDate", "toDate")]
    return bool(activities) and not any(activities)


def validation_error(record: Record) -> str | None:
    """Return in one line why a record is invalid (no id, no readable time); None if it is valid."""
    return record.error


def content_hash(raw: bytes) -> str:
    """Return the SHA-256 in hex of a record's bytes: other white space or another order of keys changes it.

    A call's top-level `media` is left out: its links are signed again for every response.
    """
    if any(links in raw for links in _MEDIA_LINKS):
        with suppress(msgspec.ValidationError):  # not an object: `media` is somewhere within
            record = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            raw = msgspec.json.encode({name: value for name, value in record.items() if name != "media"})
    return hashlib.sha256(raw).hexdigest()


# `metaData.media` is a text, Audio or Video.
_MEDIA_LINKS = (b'"media":{', b'"media": {')


class _UsualKeys(msgspec.Struct, rename="camel"):
    """`CallKeys` as Gong usually writes them, decoded in one step. `CallHeader` validates everything else."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_LENGTH)]
    # Not a datetime: msgspec would round a seventh digit, perhaps into the next day.
    started: Annotated[
        str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")
    ]
    scheduled: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    is_private: bool | None = None


class _UsualCall(msgspec.Struct, rename="camel"):
    meta_data: _UsualKeys


_usual_call = msgspec.json.Decoder(_UsualCall)


class _CallPart(msgspec.Struct, rename="camel"):
    """The keys of a call that are needed: the other 99 % of its JSON are skipped, not decoded."""

    meta_data: Any = None


class _ListedCallPart(msgspec.Struct, rename="camel"):
    id: Any = None
    started: Any = None
    scheduled: Any = None
    is_private: Any = None


class _TranscriptPart(msgspec.Struct, rename="camel"):
    call_id: Any = None


class _UserPart(msgspec.Struct):
    id: Any = None


class _AnsweredScorecardPart(msgspec.Struct, rename="camel"):
    answered_scorecard_id: Any = None
    review_time: Any = None


class _LibraryCallPart(msgspec.Struct):
    snippet: Any = None


class _DayPart(msgspec.Struct, rename="camel"):
    from_date: Any = None


_DAYS = "userDailyActivityStats"
_time: TypeAdapter[datetime | None] = TypeAdapter(Maybe[UtcTime])

Part = TypeVar("Part", bound=msgspec.Struct)
Header = TypeVar("Header", bound=GongModel)


def _part(part: type[Part], raw: bytes) -> Part:
    try:
        return msgspec.json.decode(raw, type=part)
    except msgspec.ValidationError:  # JSON, but not an object: it has none of the keys
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
        case str() | int() if 1 <= len(str(value)) <= MAX_ID_LENGTH:
            return str(value)
        case _:
            return None


def _missing(key: str) -> str:
    return f"{key}: missing or unreadable"


def _joined(*faults: str | None) -> str | None:
    return "; ".join(filter(None, faults)) or None


def _date(value: object) -> date | None:
    """Return the date that a time begins with, in the offset that it is written with: the company's."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
