"""Airbyte's tables of its Gong connector, written by any version of its Snowflake destination.

An append or a deduplicated table can have several versions of a record, and the newest one by the time of
its extraction is read. Call ids are those of `metaData`: the connector declares the id of an extensive call
as a number. Airbyte deletes nothing but by overwriting a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gong_assets.dates import DateRange
from gong_assets.warehouse.sources.source import (
    SourceLocation,
    is_in_ranges,
    iso_time,
    json_object,
    utc_day,
)
from gong_assets.warehouse.tables import CALLS, RawTable

TableForm = Literal["typed", "raw", "v1"]

# The schema of the raw tables of destination 3 and later.
RAW_SCHEMA = "airbyte_internal"

CALL_FIELDS = ("metaData", "context", "parties", "content", "interaction", "collaboration")
_META_DATA = (
    *("id", "url", "title", "scheduled", "started", "duration", "primaryUserId", "direction", "system"),
    *("scope", "media", "language", "workspaceId", "sdrDisposition", "clientUniqueId", "customData"),
    *("purpose", "meetingUrl", "isPrivate", "calendarEventId"),
)
_USER = (
    *("id", "emailAddress", "created", "active", "emailAliases", "trustedEmailAddress", "firstName"),
    *("lastName", "title", "phoneNumber", "extension", "personalMeetingUrls", "settings", "managerId"),
    *("meetingConsentPageUrl", "spokenLanguages"),
)
_SCORECARD = (
    *("scorecardId", "scorecardName", "workspaceId", "enabled", "updaterUserId", "created", "updated"),
    *("reviewMethod", "questions"),
)
_ANSWERED = (
    *("answeredScorecardId", "scorecardId", "scorecardName", "callId", "callStartTime", "reviewedUserId"),
    *("reviewerUserId", "reviewMethod", "editorUserId", "reviewTime", "visibilityType", "answers"),
)
# Times are columns of the type TIMESTAMP_TZ in typed tables, and texts elsewhere.
_TIMES = frozenset({"created", "updated", "scheduled", "started", "callStartTime", "reviewTime"})


@dataclass(frozen=True)
class Stream:
    """A stream of the connector that fills a raw table.

    Attributes:
        names: names of the stream in connectors of different ages, preferred first.
        key: path of the record's id.
        fields: fields of the payload.
        times: paths from which the day of the record is read, preferred first.
    """

    names: tuple[str, ...]
    key: str
    fields: tuple[str, ...]
    times: tuple[str, ...] = ()


_STREAMS: Mapping[str, Stream] = {
    CALLS.name: Stream(
        ("extensiveCalls", "extensive_calls"),
        "metaData:id",
        CALL_FIELDS,
        ("metaData:started", "metaData:scheduled", "startdatetime"),
    ),
    "GONG_CALL_TRANSCRIPTS_RAW": Stream(
        ("callTranscripts", "call_transcripts"), "callId", ("callId", "transcript"), ("started",)
    ),
    "GONG_USERS_RAW": Stream(("users",), "id", _USER),
    "GONG_SCORECARDS_RAW": Stream(("scorecards",), "scorecardId", _SCORECARD),
    "GONG_ANSWERED_SCORECARDS_RAW": Stream(
        ("answeredScorecards", "answered_scorecards"), "answeredScorecardId", _ANSWERED, ("reviewTime",)
    ),
}
# Without the stream extensiveCalls, calls have basic fields only.
_BASIC_CALLS = Stream(("calls",), "id", _META_DATA, ("started", "scheduled"))


@dataclass(frozen=True)
class Airbyte:
    """Tables of Airbyte's Gong connector."""

    location: SourceLocation
    form: TableForm = "typed"
    prefix: str = ""
    namespace: str = ""
    """Schema of the connection, which is part of the name of a raw table."""
    name: Literal["airbyte"] = "airbyte"

    def is_available(self, table: RawTable) -> bool:
        return self._find(table) is not None

    def rows(self, table: RawTable, ranges: Sequence[DateRange] | None) -> str:
        stream, name = self._required(table)
        in_ranges = is_in_ranges("DAY", ranges)
        # All versions of the records of these days: the newest one may be of another day.
        candidates = "TRUE" if ranges is None else f"KEY IN (SELECT KEY FROM VERSIONS WHERE {in_ranges})"
        return (
            f"WITH VERSIONS AS (SELECT {self._identity(stream, name)}, "
            f"{self._payload(stream, name)} AS PAYLOAD, {self._error(stream, name)} AS PROCESSING_ERROR "
            f"FROM {self.location.table(name)} AS SOURCE), "
            f"NEWEST AS (SELECT * FROM VERSIONS WHERE {candidates} "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY KEY ORDER BY EXTRACTED_AT DESC) = 1) "
            f"SELECT * FROM NEWEST WHERE {in_ranges}"
        )

    def versions(self, table: RawTable) -> str:
        stream, name = self._required(table)
        return f"SELECT {self._identity(stream, name)} FROM {self.location.table(name)} AS SOURCE"

    def _identity(self, stream: Stream, name: str) -> str:
        is_private, workspace = self._privacy(stream, name)
        return (
            f"{self._key(stream, name)} AS KEY, {self._day(stream, name)} AS DAY, "
            f"{self._extracted_at} AS EXTRACTED_AT, FALSE AS IS_DELETED, {is_private} AS IS_PRIVATE, "
            f"{workspace} AS WORKSPACE_ID"
        )

    @property
    def has_whole_calls(self) -> bool:
        return self._find(CALLS) not in (None, _BASIC_CALLS)

    def gaps(self) -> Sequence[str]:
        gaps = [
            "Calls and transcripts that appear after the connector's cursor passed, and deleted or private "
            "calls: run the audit.",
            "Reviews by Gong's AI.",
            "Workspaces, trackers, call outcomes, the library, interaction statistics and user activity.",
        ]
        if self._find(CALLS) == _BASIC_CALLS:
            gaps.append(
                "Participants, content, interaction and CRM context: select the stream extensiveCalls."
            )
        return gaps

    def _find(self, table: RawTable) -> Stream | None:
        streams = [_STREAMS[table.name]] if table.name in _STREAMS else []
        if table.name == CALLS.name:
            streams.append(_BASIC_CALLS)
        return next((each for each in streams if self._table(each)), None)

    def _required(self, table: RawTable) -> tuple[Stream, str]:
        stream = self._find(table)
        name = self._table(stream) if stream else None
        if stream is None or name is None:
            raise LookupError(f"Airbyte has no stream for {table.name}")
        return stream, name

    def _table(self, stream: Stream) -> str | None:
        return self.location.first(*map(self._table_name, stream.names))

    def _table_name(self, stream: str) -> str:
        match self.form:
            case "typed":
                return f"{self.prefix}{stream}".upper()
            case "raw":
                return f"{self.namespace}_raw__stream_{self.prefix}{stream}"
            case "v1":
                return f"_AIRBYTE_RAW_{self.prefix}{stream}".upper()

    @property
    def _extracted_at(self) -> str:
        names = {
            "typed": "_AIRBYTE_EXTRACTED_AT",
            "raw": '"_airbyte_extracted_at"',
            "v1": "_AIRBYTE_EMITTED_AT",
        }
        return f"SOURCE.{names[self.form]}"

    @property
    def _data(self) -> str:
        return 'SOURCE."_airbyte_data"' if self.form == "raw" else "SOURCE._AIRBYTE_DATA"

    def _value(self, name: str, path: str) -> str:
        """Return the SQL of a path, whose first part is a column of a typed table."""
        if self.form != "typed":
            return f"{self._data}:{path}"
        column, _, rest = path.partition(":")
        found = self.location.column(name, column.upper(), "SOURCE")
        return f"{found}:{rest}" if rest and found != "NULL" else found

    def _text(self, name: str, path: str) -> str:
        return f"{self._value(name, path)}::VARCHAR"

    def _key(self, stream: Stream, name: str) -> str:
        row_id = {"typed": "_AIRBYTE_RAW_ID", "raw": '"_airbyte_raw_id"', "v1": "_AIRBYTE_AB_ID"}[self.form]
        return f"COALESCE({self._text(name, stream.key)}, 'unidentified-' || SOURCE.{row_id})"

    def _day(self, stream: Stream, name: str) -> str:
        """Return the UTC date of the record, or of its extraction if the record has no readable time."""
        if not stream.times:
            return "NULL::DATE"
        times = [*(self._time(name, path) for path in stream.times), self._extracted_at]
        return utc_day(f"COALESCE({', '.join(times)})")

    def _time(self, name: str, path: str) -> str:
        """Return a TIMESTAMP_TZ. The cursors of typed tables are times, everything else is text."""
        if self.form == "typed" and ":" not in path:
            return f"{self._value(name, path)}::TIMESTAMP_TZ"
        return f"TRY_TO_TIMESTAMP_TZ({self._text(name, path)})"

    def _payload(self, stream: Stream, name: str) -> str:
        fields = {each: self._field(name, each) for each in stream.fields}
        if stream is _BASIC_CALLS:
            return json_object({"metaData": json_object(fields)})
        return json_object(fields, keep_null=stream.key != "metaData:id")

    def _field(self, name: str, field: str) -> str:
        value = self._value(name, field)
        return iso_time(value) if self.form == "typed" and field in _TIMES else value

    def _privacy(self, stream: Stream, name: str) -> tuple[str, str]:
        if stream is _BASIC_CALLS:
            private, workspace = "isPrivate", "workspaceId"
        elif stream.key == "metaData:id":
            private, workspace = "metaData:isPrivate", "metaData:workspaceId"
        else:
            return "FALSE", "NULL::VARCHAR"
        is_private = f"COALESCE(TRY_TO_BOOLEAN({self._text(name, private)}), FALSE)"
        return is_private, self._text(name, workspace)

    def _error(self, stream: Stream, name: str) -> str:
        """Return SQL for the validation error: no id, no time, or values that the destination nulled."""
        faults = [f"IFF({self._text(name, stream.key)} IS NULL, '{stream.key}: missing or unreadable', NULL)"]
        if stream.times and stream.key != "callId":  # A transcript is dated by its call.
            times = ", ".join(self._time(name, path) for path in stream.times)
            is_undated = f"COALESCE({times}) IS NULL" if len(stream.times) > 1 else f"{times} IS NULL"
            faults.append(f"IFF({is_undated}, '{stream.times[0]}: missing or unreadable', NULL)")
        if self.form != "v1":
            meta = "SOURCE._AIRBYTE_META" if self.form == "typed" else 'SOURCE."_airbyte_meta"'
            landed = ", ".join(f"'{each.lower()}'" for each in stream.fields)
            faults.append(
                f"NULLIF(ARRAY_TO_STRING(REDUCE(COALESCE({meta}:changes, ARRAY_CONSTRUCT())::ARRAY, [], "
                f"(faults, change) -> IFF(LOWER(change:field::VARCHAR) IN ({landed}), "
                "ARRAY_PREPEND(faults, change:field::VARCHAR || ' was changed by Airbyte: ' || "
                "COALESCE(change:reason::VARCHAR, change:change::VARCHAR)), faults)), '; '), '')"
            )
        return f"NULLIF(ARRAY_TO_STRING(ARRAY_CONSTRUCT_COMPACT({', '.join(faults)}), '; '), '')"
