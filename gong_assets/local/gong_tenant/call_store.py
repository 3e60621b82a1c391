"""What the API shows of the calls at this moment: listing, finding, and the clock that decides.

Calls themselves come from `calls.Diary` and do not change; what is visible of them does, with time and, in tests, by
request.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gong_assets.local.gong_tenant.call_documents import is_conference
from gong_assets.local.gong_tenant.calls import HISTORY, Call, Diary, Lifecycle
from gong_assets.local.gong_tenant.request_bodies import CallsFilter


class Clock:
    """The time that the tenant believes it is: the machine's, or one that stands still."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now or datetime.now(UTC)

    def stop_at(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)


class Archive:
    """The calls of one tenant as its API sees them now.

    With `blind`, as a key sees them whose user may view no call: as if there were none.
    """

    def __init__(self, diary: Diary, clock: Clock, *, blind: bool = False) -> None:
        self.diary = diary
        self.clock = clock
        self._blind = blind
        self._changed: dict[str, Lifecycle] = {}

    def listed(self, asked: CallsFilter, *, by_schedule: bool = False) -> tuple[list[Call], int]:
        """The calls that match, oldest first, and how many more match that Gong is still processing.

        GET /v2/calls filters web conferences `by_schedule`; all other endpoints filter by start.
        """
        now = self.clock.now()
        matching = self._matching(asked, by_schedule=by_schedule)
        listed = [call for call in matching if call.lifecycle.is_listed(now)]
        return listed, sum(call.started <= now < call.lifecycle.visible_at for call in matching)

    def transcribed(self, asked: CallsFilter) -> list[Call]:
        """The calls that match and have a transcript by now, oldest first."""
        now = self.clock.now()
        return [call for call in self._matching(asked) if call.lifecycle.has_transcript(now)]

    def get(self, call_id: str) -> Call | None:
        """The call with that id if it is listed now."""
        call = None if self._blind else self._find(call_id)
        return call if call and call.lifecycle.is_listed(self.clock.now()) else None

    def make_private(self, call_id: str) -> bool:
        now = self.clock.now()
        return self._change(call_id, private_at=now)

    def delete(self, call_id: str) -> bool:
        now = self.clock.now()
        return self._change(call_id, deleted_at=now)

    def _matching(self, asked: CallsFilter, *, by_schedule: bool = False) -> list[Call]:
        now = self.clock.now()
        start = max(asked.from_date_time or now - HISTORY, now - HISTORY)
        end = min(asked.to_date_time or now, now + timedelta(days=1))  # scheduled times lie a little ahead
        if self._blind or start >= end or asked.workspace_id not in (None, self.diary.company.workspace_id):
            return []
        if asked.call_ids is None:
            calls = list(map(self._as_changed, self.diary.between(start, end)))
        else:
            found = filter(None, map(self._find, dict.fromkeys(asked.call_ids)))
            calls = sorted(found, key=lambda call: (call.started, call.id))
        hosts = asked.primary_user_ids
        return [
            call
            for call in calls
            if start <= (call.scheduled if by_schedule and is_conference(call) else call.started) < end
            and (hosts is None or call.host.id in hosts)
        ]

    def _find(self, call_id: str) -> Call | None:
        call = self.diary.find(call_id)
        return self._as_changed(call) if call else None

    def _as_changed(self, call: Call) -> Call:
        lifecycle = self._changed.get(call.id)
        return replace(call, lifecycle=lifecycle) if lifecycle else call

    def _change(self, call_id: str, **moments: datetime) -> bool:
        call = self._find(call_id)
        if call is None:
            return False
        self._changed[call_id] = replace(call.lifecycle, **moments)
        return True
